import { defineCommand } from "citty";
import type { CpioMember } from "../archive/cpio-reader.ts";
import { readCommandLine, UsageError } from "../command-line.ts";
import { formatInspection } from "../inspect/format.ts";
import { type Inspection, inspectImage } from "../inspect/inspection.ts";
import { formatMember } from "../inspect/listing.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/max-size.ts";

const args = {
  image: { type: "positional", required: true, description: "an initramfs, of whatever tool" },
  list: { type: "boolean", alias: "l", description: "List every member, as cpio -tv does" },
  json: { type: "boolean", description: "Print JSON, with the members where --list is given" },
  ...MAX_SIZE_OPTION,
} as const;

/** `levain inspect`: what is in an initramfs. Exit status 1 where a kernel would not read all of it. */
export const inspectCommand = defineCommand({
  meta: { name: "inspect", description: "Show what an initramfs is made of, and what levain would do with it" },
  args,
  run: ({ rawArgs }) => {
    const line = readCommandLine(rawArgs, args);
    const [image, ...rest] = line.words;
    if (image === undefined) throw new UsageError("Missing required argument IMAGE");
    if (rest.length > 0) throw new UsageError(`Unexpected argument '${rest[0]}'`);
    const inspection = inspectImage(image, readMaxSize(line));
    console.log(say(inspection, line.has("list"), line.has("json")));
    const isWhole = inspection.problem === null && inspection.segments.every(({ problems }) => problems.length === 0);
    return isWhole ? 0 : 1;
  },
});

function say(inspection: Inspection, list: boolean, json: boolean): string {
  if (json) return JSON.stringify(describe(inspection, list), null, 2);
  return (list ? membersOf(inspection).map(formatMember) : formatInspection(inspection)).join("\n");
}

function membersOf({ segments }: Inspection): readonly CpioMember[] {
  return segments.flatMap(({ archives }) => archives.flatMap(({ members }) => members));
}

/** Plain data, without the content of the files. */
function describe({ tree, segments, problem, ...rest }: Inspection, list: boolean): unknown {
  return {
    ...rest,
    segments: segments.map(({ archives, ...segment }) => ({
      ...segment,
      archives: archives.map(({ members, ...archive }) => ({
        ...archive,
        memberCount: members.length,
        ...(list ? { members: members.map(({ data, ...member }) => ({ ...member, size: data.length })) } : {}),
      })),
    })),
    problems: [...tree.problems, ...(problem === null ? [] : [problem.message])],
  };
}

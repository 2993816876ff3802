import { argument, command, flag } from "../command-line.ts";
import { formatInspection, formatMember } from "../inspect/format.ts";
import { type Inspection, inspectImage } from "../inspect/inspection.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/streams/size-limit.ts";

/** `levain inspect`. The exit status is 1 if a kernel would not read the whole image. */
export const inspectCommand = command({
  name: "inspect",
  description: "Show what an initramfs contains, and what levain would use of it",
  args: {
    image: argument("An initramfs of any tool, or a unified kernel image"),
    list: flag("List every file, as cpio -tv does", "l"),
    json: flag("Print JSON; with --list, including every file"),
    ...MAX_SIZE_OPTION,
  },
  examples: {
    "levain inspect /boot/initrd.img":
      "Show its maker, init, modules and more; status 1 if a kernel would not read all of it",
    "levain inspect -l /boot/initrd.img | grep crypt": "Find files",
  },
  run: (line) => {
    const [image = ""] = line.words;
    const inspection = inspectImage(image, readMaxSize(line));
    const { segments, problem } = inspection;
    const members = segments.flatMap(({ archives }) => archives.flatMap((archive) => archive.members));
    if (line.has("json")) console.log(JSON.stringify(describe(inspection, line.has("list")), null, 2));
    else console.log((line.has("list") ? members.map(formatMember) : formatInspection(inspection)).join("\n"));
    return problem === null && segments.every(({ problems }) => problems.length === 0) ? 0 : 1;
  },
});

/** Plain data, without the content of the files. */
function describe({ tree, segments, problem, ...rest }: Inspection, list: boolean): unknown {
  return {
    ...rest,
    segments: segments.map(({ archives, ...segment }) => ({
      ...segment,
      archives: archives.map(({ members, ...archive }) => ({
        ...archive,
        memberCount: members.length,
        ...(list && { members: members.map(({ data, ...member }) => ({ ...member, size: data.length })) }),
      })),
    })),
    problems: [...tree.problems, ...(problem === null ? [] : [problem.message])],
  };
}

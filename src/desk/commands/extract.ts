import { basename } from "node:path";
import { defineCommand } from "citty";
import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";
import { readCommandLine, UsageError } from "../command-line.ts";
import { extractTree } from "../inspect/extraction.ts";
import { inspectImage } from "../inspect/inspection.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/max-size.ts";

const args = {
  image: { type: "positional", required: true, description: "an initramfs, of whatever tool" },
  directory: { type: "positional", required: false, description: "a new or empty directory (default: IMAGE.d, here)" },
  member: {
    type: "string",
    alias: "m",
    valueHint: "PATH",
    description: "only this, with all below it; may be repeated",
  },
  special: { type: "boolean", description: "As root: make device nodes, keep set-uid and set-gid bits" },
  ...MAX_SIZE_OPTION,
} as const;

/** `levain extract`: the tree that a kernel would make of an initramfs, on disk. Exit status 1 where something had to be left out. */
export function extractCommand(machine: Machine) {
  return defineCommand({
    meta: { name: "extract", description: "Unpack an initramfs into a directory, as a kernel would" },
    args,
    run: ({ rawArgs }) => {
      const line = readCommandLine(rawArgs, args);
      const [image, directory, ...rest] = line.words;
      if (image === undefined) throw new UsageError("Missing required argument IMAGE");
      if (rest.length > 0) throw new UsageError(`Unexpected argument '${rest[0]}'`);
      const { tree, segments, problem } = inspectImage(image, readMaxSize(line));
      const target = directory ?? `${basename(image)}.d`;
      const isRoot = process.getuid?.() === 0;
      const options = { machine, isRoot, special: line.has("special"), members: line.all("member") };
      const { written, leftOut } = extractTree(tree.root, target, options);
      const problems = [
        ...segments.flatMap((segment) => segment.problems),
        ...tree.problems,
        ...(problem === null ? [] : [problem.message]),
        ...leftOut,
      ];
      for (const text of problems) console.error(`warning: ${printable(text)}`);
      console.log(printable(`${target}: ${written} entries`));
      return problems.length === 0 ? 0 : 1;
    },
  });
}

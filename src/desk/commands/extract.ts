import { basename } from "node:path";
import { printable } from "../../problems/report.ts";
import { argument, command, flag, option } from "../command-line.ts";
import { extractTree } from "../inspect/extraction.ts";
import { inspectImage } from "../inspect/inspection.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/streams/size-limit.ts";
import { formatReport, JSON_OPTION, row } from "../report-rows.ts";
import { writeLine } from "../standard-output.ts";

/** `levain extract`. The exit status is 1 if something was left out. */
export const extractCommand = command({
  name: "extract",
  description: "Unpack an initramfs into a directory, as the kernel would",
  args: {
    image: argument("An initramfs of any tool"),
    directory: argument("A new or empty directory (default: ./IMAGE.d)", false),
    member: option("PATH", "Extract only PATH and everything below it; repeatable", "m"),
    special: flag("As root: create device nodes, keep set-uid and set-gid bits"),
    ...MAX_SIZE_OPTION,
    ...JSON_OPTION,
  },
  examples: {
    "levain extract /boot/initrd.img": "Unpack into ./initrd.img.d; status 1 if something was left out",
    "levain extract initrd.img out -m etc -m init": "Unpack only /etc and /init into ./out",
  },
  run: (line, machine) => {
    const [image = "", directory] = line.words;
    const { tree, segments, problem } = inspectImage(image, readMaxSize(line));
    const target = directory ?? `${basename(image)}.d`;
    const isRoot = process.getuid?.() === 0;
    const options = { machine, isRoot, special: line.has("special"), members: line.all("member") };
    const { written, leftOut } = extractTree(tree.root, target, options);
    const own = segments.flatMap(({ problems }) => problems);
    const problems = [...own, ...tree.problems, ...(problem === null ? [] : [problem.message]), ...leftOut];
    for (const text of problems) console.error(`warning: ${printable(text)}`);
    const rows = [row("entries", written, String), row("left out", problems, () => null)];
    writeLine(formatReport(target, rows, line.has("json")));
    return problems.length === 0 ? 0 : 1;
  },
});

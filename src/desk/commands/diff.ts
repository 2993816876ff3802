import { BootError } from "../../problems/errors.ts";
import { report } from "../../problems/report.ts";
import { argument, command, flag, UsageError } from "../command-line.ts";
import { compareTrees } from "../inspect/compare/compare.ts";
import { formatComparison } from "../inspect/compare/format-comparison.ts";
import { inspectImage } from "../inspect/inspection.ts";
import { listParts, sumParts } from "../inspect/parts.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/streams/size-limit.ts";
import { writeLine } from "../standard-output.ts";

/** `levain diff`. The exit status is that of diff(1): 0 without differences, 1 with some, 2 if an image cannot be read. */
export const diffCommand = command({
  name: "diff",
  description: "Show what differs between two initramfs images",
  args: {
    first: argument("An initramfs of any tool"),
    second: argument("Another one"),
    json: flag("Print JSON"),
    ...MAX_SIZE_OPTION,
  },
  examples: {
    "levain diff /boot/initrd.img-6.1.0-55-amd64 /boot/initrd.img-6.1.0-56-amd64":
      "Compare the images of two kernels: modules by name; status 1 if anything differs, 2 if one cannot be read",
  },
  run: (line) => {
    const [first, second] = line.words;
    if (first === undefined || second === undefined) throw new UsageError("Two images are needed");
    const limit = readMaxSize(line);
    try {
      const [one, other] = [inspectImage(first, limit), inspectImage(second, limit)];
      const differences = compareTrees(one.tree.root, other.tree.root);
      const images = [one, other].map(({ file, size, tree }) => ({
        file,
        size,
        parts: sumParts(listParts(tree.root)),
      }));
      if (line.has("json")) writeLine(JSON.stringify({ images, differences }, null, 2));
      else writeLine(formatComparison(one, other, differences).join("\n"));
      return differences.length === 0 ? 0 : 1;
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      console.error(report(error).join("\n"));
      return 2;
    }
  },
});

import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import { parseCompression } from "../archive/compress.ts";
import { describeMemory } from "../archive/memory.ts";
import { argument, command, option } from "../command-line.ts";
import { type GraftSummary, graftInit } from "../image/graft.ts";
import { describeFallbacks } from "../image/kernel-fallback.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/streams/size-limit.ts";

/** `levain graft`: replaces only the init of another tool's image. */
export const graftCommand = command({
  name: "graft",
  description: "Replace only the init of another tool's initramfs",
  args: {
    image: argument("An initramfs of any tool; it is not changed"),
    output: option("FILE", "Write the new image to FILE (default: IMAGE.levain)", "o"),
    init: option("FILE", "Use this levain as /init (default: this program)"),
    compress: option("METHOD[:LEVEL]", "Compress /init with zstd, lz4, gzip, xz or none (default: zstd)"),
    ...MAX_SIZE_OPTION,
  },
  examples: { "levain graft /boot/initrd.img": "Write /boot/initrd.img.levain, with levain as its /init" },
  run: async (line) => {
    const [image = ""] = line.words;
    const summary = await graftInit({
      image,
      output: line.one("output") ?? `${image}.levain`,
      init: line.one("init"),
      maxSize: readMaxSize(line),
      compression: parseCompression(line.one("compress") ?? "zstd"),
    });
    if (summary.exposure !== null) console.error(`warning: ${printable(summary.exposure)}`);
    console.log(summarize(summary).map(printable).join("\n"));
    return 0;
  },
});

function summarize({ output, before, imageBytes, memory }: GraftSummary): readonly string[] {
  const { findings, passedOver } = before;
  const modules = findings.kernels.map(({ version, count }) => `${version ?? "unnamed"}, ${count} modules`).join("; ");
  const fallback = describeFallbacks(findings.fallbacks);
  return [
    output,
    `  made of  ${before.file}${findings.maker === null ? "" : ` (${findings.maker})`}`,
    `  kernel   ${modules === "" ? "any with built-in drivers: the image has no modules" : modules}`,
    ...(passedOver.length === 0 ? [] : [`  ignores  ${passedOver.join(", ")}: only the replaced init read these`]),
    ...(findings.init === null
      ? []
      : ["  fallback the kernel starts the old /init if the image is truncated before the new one"]),
    ...(fallback === null ? [] : [`  fallback ${fallback}`]),
    `  size     ${formatBytes(imageBytes)}`,
    `  memory   needs ${describeMemory(memory)}`,
  ];
}

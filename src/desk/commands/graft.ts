import { defineCommand } from "citty";
import { printable } from "../../problems/report.ts";
import { formatBytes, formatMib } from "../../problems/size.ts";
import { parseCompression } from "../archive/compress.ts";
import { readCommandLine, UsageError } from "../command-line.ts";
import { type GraftSummary, graftInit } from "../image/graft.ts";
import { describeFallbacks } from "../image/kernel-fallback.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/max-size.ts";

const args = {
  image: { type: "positional", required: true, description: "an initramfs that another tool has made" },
  output: {
    type: "string",
    alias: "o",
    valueHint: "FILE",
    description: "where the new image goes (default: IMAGE.levain)",
  },
  init: { type: "string", valueHint: "FILE", description: "the levain to put in as /init (default: this one)" },
  compress: {
    type: "string",
    valueHint: "METHOD[:LEVEL]",
    description: "for /init: zstd, lz4, gzip, xz or none (default: zstd)",
  },
  ...MAX_SIZE_OPTION,
} as const;

/** `levain graft`: another tool's image with only the init exchanged. */
export const graftCommand = defineCommand({
  meta: {
    name: "graft",
    description: "Put this program as /init into an initramfs of another tool, and keep the rest",
  },
  args,
  run: async ({ rawArgs }) => {
    const line = readCommandLine(rawArgs, args);
    const [image, ...rest] = line.words;
    if (image === undefined) throw new UsageError("Missing required argument IMAGE");
    if (rest.length > 0) throw new UsageError(`Unexpected argument '${rest[0]}'`);
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
  const modules = findings.kernels
    .map(({ version, count }) => `${version ?? "one that is not named"}, ${count} modules`)
    .join("; ");
  const fallback = describeFallbacks(findings.fallbacks);
  return [
    output,
    `  made of  ${before.file}${findings.maker === null ? "" : ` (${findings.maker})`}`,
    `  kernel   ${modules === "" ? "any that has its drivers built in: there are no modules" : modules}`,
    ...(passedOver.length === 0 ? [] : [`  without  ${passedOver.join(", ")}: the exchanged init read these`]),
    ...(findings.init === null
      ? []
      : ["  fallback the kernel starts the old /init if the image is cut off before the new one"]),
    ...(fallback === null ? [] : [`  fallback ${fallback}`]),
    `  size     ${formatBytes(imageBytes)}`,
    `  memory   needs ${formatMib(memory.withRoot)} to boot, ${formatMib(memory.withoutRoot)} where the command line has no root=`,
  ];
}

import { formatBytes, formatMib } from "../../problems/size.ts";
import type { ImageOptions, ImageSummary } from "./image.ts";
import { describeFallbacks } from "./kernel-fallback.ts";

/** What a person wants to know of a new image, a line each. */
export function summarize(summary: ImageSummary, { compression }: ImageOptions, elapsedMs: number): readonly string[] {
  const { kernel, moduleCount, entryCount, unpackedBytes, imageBytes, memory, hasBusybox } = summary;
  const fallback = describeFallbacks(summary.fallbacks);
  const method = compression.method === "none" ? "not compressed" : `${compression.method}:${compression.level}`;
  return [
    summary.output,
    `  kernel   ${kernel === null ? "any that has its drivers built in: there are no modules" : `${kernel.version}, ${moduleCount} modules`}`,
    `  content  ${entryCount} entries, ${formatBytes(unpackedBytes)} unpacked`,
    ...(hasBusybox ? [] : ["  shell    none: there is no BusyBox in it"]),
    ...(fallback === null ? [] : [`  fallback ${fallback}`]),
    `  size     ${formatBytes(imageBytes)}, ${method}, in ${(elapsedMs / 1000).toFixed(1)} s`,
    `  memory   needs ${formatMib(memory.withRoot)} to boot, ${formatMib(memory.withoutRoot)} where the command line has no root=`,
  ];
}

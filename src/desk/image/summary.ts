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
    `  content  ${entryCount} entries, ${formatMib(unpackedBytes)} unpacked`,
    ...(hasBusybox ? [] : ["  shell    none: there is no BusyBox in it"]),
    ...(fallback === null ? [] : [`  fallback ${fallback}`]),
    `  size     ${formatMib(imageBytes)}, ${method}, in ${(elapsedMs / 1000).toFixed(1)} s`,
    `  memory   needs ${roundMib(memory.withRoot)} MiB to boot, ${roundMib(memory.withoutRoot)} MiB where the command line has no root=`,
  ];
}

function formatMib(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

function roundMib(bytes: number): number {
  return Math.round(bytes / (1 << 20));
}

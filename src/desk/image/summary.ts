import { formatBytes } from "../../problems/size.ts";
import { describeMemory } from "../archive/memory.ts";
import type { ImageOptions, ImageSummary } from "./image.ts";
import { describeFallbacks } from "./kernel-fallback.ts";

/** Describes a new image for the user, a line each. */
export function summarize(summary: ImageSummary, { compression }: ImageOptions, elapsedMs: number): readonly string[] {
  const { kernel, moduleCount, entryCount, unpackedBytes, imageBytes, memory, hasBusybox } = summary;
  const fallback = describeFallbacks(summary.fallbacks);
  const method = compression.method === "none" ? "not compressed" : `${compression.method}:${compression.level}`;
  return [
    summary.output,
    `  kernel   ${kernel === null ? "any with built-in drivers: the image has no modules" : `${kernel.version}, ${moduleCount} modules`}`,
    `  content  ${entryCount} entries, ${formatBytes(unpackedBytes)} unpacked`,
    ...(hasBusybox ? [] : ["  shell    none: the image has no BusyBox"]),
    ...(fallback === null ? [] : [`  fallback ${fallback}`]),
    `  size     ${formatBytes(imageBytes)}, ${method}, in ${(elapsedMs / 1000).toFixed(1)} s`,
    `  memory   needs ${describeMemory(memory)}`,
  ];
}

import type { Patch } from "./sparse-source.ts";

/** A hand-made image, for which Debian has no tool: zeros with a header. */
export interface HandMade {
  readonly name: string;
  readonly size: number;
  readonly patches: readonly Patch[];
  /** Output of `blkid -p -o export` without DEVNAME=, fields joined by " | "; "ambivalent" if blkid says so. */
  readonly tells: string;
}

export const KIB = 1024;
export const MIB = 1024 * 1024;

/** Makes an image of a header with the output of blkid. */
export function handMade(name: string, size: number, patches: readonly Patch[], tells: string): HandMade {
  return { name, size, patches, tells };
}

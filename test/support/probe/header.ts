import type { Patch } from "./sparse-source.ts";

/** An image that no tool of Debian's makes: zeros with a header made by hand. */
export interface HandMade {
  readonly name: string;
  readonly size: number;
  readonly patches: readonly Patch[];
  /** What `blkid -p -o export` tells of it, without DEVNAME=, fields joined by " | "; "ambivalent" where it refuses. */
  readonly tells: string;
}

export const KIB = 1024;
export const MIB = 1024 * 1024;

/** A header with what blkid tells of it. */
export function handMade(name: string, size: number, patches: readonly Patch[], tells: string): HandMade {
  return { name, size, patches, tells };
}

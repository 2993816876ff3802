import type { SyscallError } from "../problems/errors.ts";

/**
 * A file or block device that another process opens and reads: a disk that does not answer holds up only that process. A call that
 * returns null is repeated later with the same arguments; until then the reader does nothing else.
 */
export interface AsyncReader {
  /** The size in bytes; null if the device has not answered within `timeoutMs`. */
  size(timeoutMs: number): number | null;
  /** Reads all places, each like `RandomReader.read`; null if the device has not answered within `timeoutMs`. */
  read(places: readonly ReadPlace[], timeoutMs: number): readonly (Uint8Array | SyscallError)[] | null;
  /** Never waits, whatever the device does. */
  close(): void;
}

/** Where to read, in bytes. */
export interface ReadPlace {
  readonly offset: number;
  readonly length: number;
}

/** True if both are the same bytes. */
export const isSamePlace = (one: ReadPlace, other: ReadPlace): boolean =>
  one.offset === other.offset && one.length === other.length;

/** How to open a reader. */
export interface OpenOptions {
  /** An optical drive: its tray stays as it is, and an empty one is ENOMEDIUM. */
  readonly isOptical?: boolean;
  /**
   * What will be read first: it comes with the answer to the call that opens the device. If the first place cannot be read, the
   * others are refused too (ECANCELED): each could take as long to fail.
   */
  readonly first?: readonly ReadPlace[];
  /** True if `first` is most likely all that is read: the device is closed with the answer, and opened again for each other read. */
  readonly isBrief?: boolean;
  /** True if the device may stay open for a moment after `close`: it is not one that is removed next, as a mapping may be. */
  readonly mayLinger?: boolean;
}

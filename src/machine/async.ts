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

/** How to open a reader. */
export interface OpenOptions {
  /** An optical drive: its tray stays as it is, and an empty one is ENOMEDIUM. */
  readonly isOptical?: boolean;
  /** How many bytes from the beginning will be read first: they come with the answer to the call that opens the device. */
  readonly firstBytes?: number;
  /** True if the device may stay open for a moment after `close`: it is not one that is removed next, as a mapping may be. */
  readonly mayLinger?: boolean;
}

import type { MountRequest } from "./machine.ts";

/**
 * A file or block device that another process opens and reads: a disk that does not answer holds up only that process. A call that
 * returns null is repeated later with the same arguments; until then the reader does nothing else.
 */
export interface AsyncReader {
  /** The size in bytes; null if the device has not answered within `timeoutMs`. */
  size(timeoutMs: number): number | null;
  /** Like `RandomReader.read`; null if the device has not answered within `timeoutMs`. */
  read(offset: number, length: number, timeoutMs: number): Uint8Array | null;
  /** Never waits, whatever the device does. */
  close(): void;
}

/** How to open a reader. */
export interface OpenOptions {
  /** An optical drive: its tray stays as it is, and an empty one is ENOMEDIUM. */
  readonly isOptical?: boolean;
}

/** A mount for a brief look, made by another process in a mount namespace of its own: a disk that does not answer holds up only that process. */
export interface ApartMounts {
  /**
   * Mounts, and returns the directory where this process sees the filesystem. ETIMEDOUT if the disk has not answered within
   * `timeoutMs`: the next call, with any request, waits for the same mount.
   */
  mount(request: MountRequest, timeoutMs: number): string;
  /** Unmounts, also what is mounted only when the disk answers after all. Never waits longer than a second. */
  close(): void;
}

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

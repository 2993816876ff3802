import { BootError } from "../../src/errors.ts";

/** What one compressed stream of an image gave. */
export interface UnpackedStream {
  readonly unpacked: Uint8Array;
  /** The byte of the image after the stream's last. */
  readonly end: number;
  /** What the kernel will not like about it, in words; null where nothing. */
  readonly problem: string | null;
}

/** The error for a stream that begins at byte `start` and cannot be unpacked. */
export function damaged(method: string, start: number, reason: string): BootError {
  return new BootError(`the ${method} data at byte ${start} cannot be unpacked: ${reason}`);
}

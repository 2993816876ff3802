import { BootError } from "../../../problems/errors.ts";
import { TooLargeError } from "./size-limit.ts";

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

/** The error for a stream that begins at byte `start` and gives more than `limit` bytes. */
export function tooLarge(method: string, start: number, limit: number): TooLargeError {
  return new TooLargeError(`the ${method} data at byte ${start} unpacks to more than ${limit} bytes`);
}

/** True where an error of node:zlib says that its `maxOutputLength` was reached. */
export function isOverLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

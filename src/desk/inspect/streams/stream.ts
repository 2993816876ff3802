import { BootError } from "../../../problems/errors.ts";
import { TooLargeError } from "./size-limit.ts";

/** The result of unpacking one compressed stream of an image. */
export interface UnpackedStream {
  readonly unpacked: Uint8Array;
  /** The offset in the image after the stream. */
  readonly end: number;
  /** Why a kernel would not read the stream, or null. */
  readonly problem: string | null;
}

/** Returns the error for a stream at byte `start` that cannot be unpacked. */
export function damaged(method: string, start: number, reason: string): BootError {
  return new BootError(`cannot unpack the ${method} data at byte ${start}: ${reason}`);
}

/** Returns the error for a stream at byte `start` that unpacks to more than `limit` bytes. */
export function tooLarge(method: string, start: number, limit: number): TooLargeError {
  return new TooLargeError(`the ${method} data at byte ${start} unpacks to more than ${limit} bytes`);
}

/** Returns whether an error of node:zlib means that its `maxOutputLength` was reached. */
export function isOverLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

/** Runs `action` of node:zlib; throws what `damaged` and `tooLarge` return. */
export function inflate<T>(method: string, start: number, limit: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (isOverLimit(error)) throw tooLarge(method, start, limit);
    throw damaged(method, start, error instanceof Error ? error.message : String(error));
  }
}

import * as fs from "node:fs";
import { SyscallError } from "../../problems/errors.ts";
import { errnoName } from "../abi.ts";

/** Opens a file with the flags of node:fs. Throws SyscallError. */
export function openFile(path: string, flags: string | number, mode?: number): number {
  return refusable(path, () => fs.openSync(path, flags, mode));
}

/** Uses a descriptor and closes it in any case. */
export function closing<Result>(fd: number, use: (fd: number) => Result): Result {
  try {
    return use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes all bytes, from `position` of the file or (null) where the descriptor is. Throws SyscallError. */
export function writeAll(fd: number, bytes: Uint8Array, subject: string, position: number | null = null): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    done += refusable(subject, () => fs.writeSync(fd, bytes, done, bytes.length - done, at));
  }
}

/** Runs a call of node:fs and turns its refusal into a SyscallError; any other error passes. */
export function refusable<Result>(subject: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw toSyscallError(error, subject);
  }
}

/** By number if there is one: node:fs has no names for the rarer errors, such as EUCLEAN or ENOMEDIUM. */
function toSyscallError(error: unknown, subject: string): unknown {
  if (!(error instanceof Error)) return error;
  const { errno, code, syscall } = error as NodeJS.ErrnoException;
  if (typeof errno === "number" && errno < 0) return new SyscallError(syscall ?? "open", errnoName(-errno), subject);
  // node:fs refuses a path that contains a NUL before it asks the kernel.
  if (code === "ERR_INVALID_ARG_VALUE") return new SyscallError("open", "EINVAL", JSON.stringify(subject));
  return error;
}

import * as fs from "node:fs";
import { SyscallError } from "../../problems/errors.ts";
import { errnoName, F_SETFD, FD_CLOEXEC, MFD_CLOEXEC, MFD_NOEXEC_SEAL } from "../abi/constants.ts";
import { callKernel, systemCall } from "./libc.ts";

/** Opens a file with the flags of node:fs. Throws SyscallError. */
export function openFile(path: string, flags: string | number, mode?: number): number {
  return refusable(path, () => fs.openSync(path, flags, mode));
}

/** Creates a file in memory and returns its descriptor, which the caller closes. /proc/self/fd shows `name`. */
export function openMemoryFile(name: string): number {
  // Since Linux 6.3 the kernel warns without this flag, or insists on it; mapping is not executing. Older kernels do not know the flag.
  const fd = callKernel("memfd_create", [name, MFD_CLOEXEC | MFD_NOEXEC_SEAL]);
  if (fd === "EINVAL") return systemCall("memfd_create", name, name, MFD_CLOEXEC);
  if (typeof fd === "string") throw new SyscallError("memfd_create", fd, name);
  return fd;
}

const STAGE0_PID = 1;

/** Returns the descriptor that a variable of stage0 names; null outside a boot. No program that levain starts gets it or its variable. */
export function takeStage0Fd(variable: string): number | null {
  const value = process.env[variable] ?? "";
  delete process.env[variable];
  if (!/^\d{1,4}$/.test(value) || process.ppid !== STAGE0_PID) return null;
  // EBADF: the variable of another program, whose descriptor is not open.
  const result = callKernel("fcntl", [Number(value), F_SETFD, FD_CLOEXEC]);
  if (typeof result === "string" && result !== "EBADF") throw new SyscallError("fcntl", result, variable);
  return result === "EBADF" ? null : Number(value);
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

import { BootError, SyscallError } from "../problems/errors.ts";

/**
 * Does `action`, a call of node:fs or the like; where the system refuses, throws a BootError that says `what` could not
 * be done, with the refusal as its cause. Errors that are not the system's pass through.
 */
export function attempt<T>(what: string, action: () => T, hint?: string): T {
  try {
    return action();
  } catch (error) {
    const refusal = asSyscallError(error);
    if (!refusal) throw error;
    throw new BootError(what, hint === undefined ? { cause: refusal } : { cause: refusal, hint });
  }
}

/** Node's error of a system call as ours; null where it is none. */
function asSyscallError(error: unknown): SyscallError | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  if (!/^E[A-Z0-9]+$/.test(error.code)) return null;
  const call = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "open";
  const subject = "path" in error && typeof error.path === "string" ? error.path : call;
  return new SyscallError(call, error.code, subject);
}

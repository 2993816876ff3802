import { closeSync, openSync, readlinkSync, readSync, type Stats, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { Machine, RandomReader } from "../machine/machine.ts";
import { BootError, SyscallError } from "../problems/errors.ts";

/** Return whether `path` is a regular file or a directory of this host, symbolic links followed; false if it cannot be reached. */
export const isFile = (path: string): boolean => reach(path)?.isFile() ?? false;
export const isDirectory = (path: string): boolean => reach(path)?.isDirectory() ?? false;

function reach(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null; // ENOENT, ENOTDIR, EACCES, ELOOP: nothing usable in any case
  }
}

/** As MAXSYMLINKS of the kernel (include/linux/namei.h). */
const LINKS_MAX = 40;

/** Returns where the link at `path` leads in the system below `root`: of this host, an absolute one would lead to another file. */
export function fileBelow(root: string, path: string): string {
  let found = path;
  for (let links = 0; root !== "/" && links < LINKS_MAX; links += 1) {
    const target = linkTarget(found);
    if (target === null) return found;
    // resolve() ends at "/", so no link leads out of the root.
    found = join(root, resolve("/", relative(root, dirname(found)), target));
  }
  return found;
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // no link, or nothing at all, which its reader reports
  }
}

/**
 * Runs `action`, which uses node:fs. If the system refuses, throws a BootError with the message `what` and the refusal as its
 * cause, of `subject` if that is given; other errors pass through.
 */
export function attempt<T>(what: string, action: () => T, hint?: string, subject?: string): T {
  try {
    return action();
  } catch (error) {
    const cause = asSyscallError(error, subject);
    if (!cause) throw error;
    throw new BootError(what, hint === undefined ? { cause } : { cause, hint });
  }
}

/** Node's error of a system call as ours; null if it is something else. */
function asSyscallError(error: unknown, given?: string): SyscallError | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  if (!/^E[A-Z0-9]+$/.test(error.code)) return null;
  const call = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "open";
  const subject = "path" in error && typeof error.path === "string" ? error.path : call;
  return new SyscallError(call, error.code, given ?? subject);
}

/** Opens a file or device for `use`. Throws SyscallError; a FIFO is refused, as opening it would wait for a writer. */
export function withReader<T>(machine: Machine, path: string, use: (reader: RandomReader) => T): T {
  if (machine.stat(path)?.kind === "fifo") throw new SyscallError("lseek", "ESPIPE", path);
  const reader = machine.openReader(path);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

/** Reads a file, pipe or device into `room` until it ends or `room` is full. Returns the number of bytes. Throws a BootError with the message `what`. */
export function fillFromFile(room: Uint8Array, path: string, what: string, flags: string | number = "r"): number {
  const file = attempt(what, () => openSync(path, flags));
  try {
    let length = 0;
    for (let got = -1; got !== 0 && length < room.length; length += got) {
      got = attempt(what, () => readSync(file, room, length, room.length - length, null));
    }
    return length;
  } finally {
    closeSync(file);
  }
}

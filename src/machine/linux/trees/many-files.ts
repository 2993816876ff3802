import { dlopen } from "bun:ffi";
import { SyscallError } from "../../../problems/errors.ts";
import { errnoName } from "../../abi/constants.ts";
import type { EntryStatus } from "../../trees.ts";
import { IS_PACKED, provideLibrary } from "../crypto/library.ts";
import { splitTime } from "./data.ts";
import type { EntryPlace } from "./directories.ts";

/** The results of copy_file. */
const [COPIED, IS_LEFT] = [0, 1];

/** A call for many system calls: the runtime would need longer to make each of them than the kernel to answer it. */
export interface FileCalls {
  /** See `Tree.sameFiles`; the directories are open. */
  sameFiles(one: number, other: number, names: readonly string[]): ReadonlySet<string>;
  /** See `Tree.copyFile`. `path`: the name of the new file for an error. */
  copyFile(from: EntryPlace, to: EntryPlace, status: EntryStatus, path: string): boolean | null;
}

const opened: { calls?: FileCalls } = {};

/** Returns the calls of the library that the build has packed; null in a program that runs from its sources. */
export function fileCalls(): FileCalls | null {
  if (IS_PACKED) opened.calls ??= openFileCalls(provideLibrary("levain-files.so"));
  return opened.calls ?? null;
}

/** Loads the library (build/stage0/files/). */
export function openFileCalls(library: string): FileCalls {
  const { compare_files, copy_file } = dlopen(library, {
    compare_files: { args: ["i32", "i32", "ptr", "i32", "ptr"], returns: "void" },
    copy_file: { args: ["i32", "ptr", "i32", "ptr", "ptr"], returns: "i32" },
  }).symbols;
  return {
    sameFiles(one, other, names) {
      if (names.length === 0) return new Set();
      const same = new Uint8Array(names.length);
      const joined = Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1");
      compare_files(one, other, joined, names.length, same);
      return new Set(names.filter((_, index) => same[index] === 1));
    },
    copyFile(from, to, { userId, groupId, mode, modifiedNs, changedNs, inode, size }, path) {
      const access = [userId, groupId, mode].map(BigInt);
      const plan = BigInt64Array.of(...access, ...splitTime(modifiedNs), ...splitTime(changedNs), inode, BigInt(size));
      const result = copy_file(from.directory, from.name, to.directory, to.name, plan);
      if (result < 0) throw new SyscallError("write", errnoName(-result), path);
      return result === IS_LEFT ? null : result === COPIED;
    },
  };
}

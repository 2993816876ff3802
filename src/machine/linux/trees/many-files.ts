import { dlopen } from "bun:ffi";
import { SyscallError } from "../../../problems/errors.ts";
import { errnoName, S_IFMT } from "../../abi/constants.ts";
import type { DirectoryDifference, EntryStatus } from "../../trees.ts";
import { IS_PACKED, provideLibrary } from "../crypto/library.ts";
import type { EntryPlace } from "./directories.ts";
import { KINDS } from "./status.ts";

/** MOST_BYTES of build/stage0/files/files.h. */
const MOST_COPY_BYTES = 1 << 20;
/** A directory in which more names differ is left to the caller. */
const MOST_NAME_BYTES = 64 << 10;
/** The results of copy_file. */
const [COPIED, IS_LEFT] = [0, 1];

/** A call for many system calls: the runtime would need longer to make each of them than the kernel to answer it. */
export interface FileCalls {
  /** See `Tree.compareDirectory`; the directories are open. */
  compareDirectories(one: number, other: number): DirectoryDifference | null;
  /** Returns the errno's name if the kernel refused, null if the entry is an unusual one. */
  describe(place: EntryPlace): Described | string | null;
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
  const { compare_directories, describe_entry, copy_file } = dlopen(library, {
    compare_directories: { args: ["i32", "i32", "ptr", "i32", "ptr"], returns: "i32" },
    describe_entry: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    copy_file: { args: ["i32", "ptr", "i32", "ptr", "ptr"], returns: "i32" },
  }).symbols;
  const rest = Buffer.alloc(MOST_NAME_BYTES);
  const hasMore = new Int32Array(1);
  return {
    compareDirectories(one, other) {
      const size = compare_directories(one, other, rest, rest.length, hasMore);
      if (size < 0) return null;
      const names = rest.toString("latin1", 0, Math.max(0, size - 1));
      return { names: size === 0 ? [] : names.split("\0"), hasMore: hasMore[0] === 1 };
    },
    describe({ directory, name }) {
      const result = describe_entry(directory, name, words);
      if (result < 0) return errnoName(-result);
      return result === IS_LEFT ? null : { status: readDescription(), hasAttributes: words[6] === 1 };
    },
    copyFile(from, to, { userId, groupId, mode, modifiedNs, changedNs, inode, size }, path) {
      if (size > MOST_COPY_BYTES || BigInt.asIntN(64, modifiedNs) !== modifiedNs) return null;
      plan[0] = userId;
      plan[1] = groupId;
      plan[2] = mode;
      plan[3] = size;
      planNumbers[0] = modifiedNs;
      planNumbers[1] = changedNs;
      planNumbers[2] = inode;
      const result = copy_file(from.directory, from.name, to.directory, to.name, plan);
      if (result < 0) throw new SyscallError("write", errnoName(-result), path);
      return result === IS_LEFT ? null : result === COPIED;
    },
  };
}

/** An entry, as describe_entry finds it. */
export interface Described {
  readonly status: EntryStatus;
  readonly hasAttributes: boolean;
}

/** struct description of build/stage0/files/describe.c. */
const words = new Uint32Array(16);
const numbers = new BigInt64Array(words.buffer, 32);
/** struct plan of build/stage0/files/copy.c. */
const plan = new Uint32Array(10);
const planNumbers = new BigInt64Array(plan.buffer, 16);

function readDescription(): EntryStatus {
  // No destructuring: until it is compiled, it costs more than the call.
  const mode = words[0] ?? 0;
  const kind = KINDS[mode & S_IFMT] ?? "file";
  return {
    kind,
    mode: mode & 0o7777,
    userId: words[1] ?? 0,
    groupId: words[2] ?? 0,
    size: Number(numbers[0]),
    links: words[3] ?? 0,
    inode: BigInt.asUintN(64, numbers[1] ?? 0n),
    represents: kind === "block" || kind === "character" ? `${words[4]}:${words[5]}` : null,
    modifiedNs: numbers[2] ?? 0n,
    changedNs: numbers[3] ?? 0n,
  };
}

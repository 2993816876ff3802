import { SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, S_IFSOCK, STATX, STATX_BASIC_STATS } from "../../abi/trees.ts";
import type { EntryStatus } from "../../trees.ts";
import { callKernel, systemCall } from "../libc.ts";
import type { EntryPlace } from "./directories.ts";

/** What an entry is, by the file type of its mode. */
export const KINDS: Readonly<Record<number, EntryStatus["kind"]>> = {
  [abi.S_IFREG]: "file",
  [abi.S_IFDIR]: "directory",
  [abi.S_IFLNK]: "symlink",
  [abi.S_IFBLK]: "block",
  [abi.S_IFCHR]: "character",
  [abi.S_IFIFO]: "fifo",
  [S_IFSOCK]: "socket",
};

/** Of stx_blocks. */
const BLOCK_BYTES = 512;
const answer = new DataView(new ArrayBuffer(STATX.size));
const bytes = new Uint8Array(answer.buffer);

/** Returns what statx(2) says of the entry at `place`, of which `path` is the name for an error; null if there is none. node:fs would throw for each missing entry, which costs more than the call. */
export function statusOf({ directory, name }: EntryPlace, path: string): EntryStatus | null {
  const code = callKernel("statx", [directory, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, bytes]);
  if (code === "ENOENT" || code === "ENOTDIR") return null;
  if (typeof code === "string") throw new SyscallError("statx", code, path);
  const mode = answer.getUint16(STATX.stx_mode, true);
  const kind = KINDS[mode & abi.S_IFMT] ?? "file";
  const [major, minor] = [0, 4].map((offset) => answer.getUint32(STATX.stx_rdev_major + offset, true));
  return {
    kind,
    mode: mode & 0o7777,
    userId: answer.getUint32(STATX.stx_uid, true),
    groupId: answer.getUint32(STATX.stx_gid, true),
    size: Number(answer.getBigUint64(STATX.stx_size, true)),
    links: answer.getUint32(STATX.stx_nlink, true),
    inode: answer.getBigUint64(STATX.stx_ino, true),
    represents: kind === "block" || kind === "character" ? `${major}:${minor}` : null,
    modifiedNs: readTime(STATX.stx_mtime),
    changedNs: readTime(STATX.stx_ctime),
  };
}

/** What an open file is. */
export interface OpenStatus {
  readonly isFile: boolean;
  /** Bytes. */
  readonly size: number;
  /** False if the file has as many blocks as its size needs. */
  readonly mayHaveHoles: boolean;
}

const NO_NAME = new Uint8Array(1);

/** Returns what the open file `fd` is, of which `path` is the name for an error. */
export function openStatusOf(fd: number, path: string): OpenStatus {
  systemCall("statx", path, fd, NO_NAME, AT_EMPTY_PATH, STATX_BASIC_STATS, bytes);
  const size = Number(answer.getBigUint64(STATX.stx_size, true));
  const stored = Number(answer.getBigUint64(STATX.stx_blocks, true)) * BLOCK_BYTES;
  const isFile = (answer.getUint16(STATX.stx_mode, true) & abi.S_IFMT) === abi.S_IFREG;
  return { isFile, size, mayHaveHoles: stored < size };
}

/** struct statx_timestamp: s64 seconds, u32 nanoseconds. */
function readTime(at: number): bigint {
  return answer.getBigInt64(at, true) * 1_000_000_000n + BigInt(answer.getUint32(at + 8, true));
}

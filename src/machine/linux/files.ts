import * as fs from "node:fs";
import { orIfRefused, SyscallError } from "../../problems/errors.ts";
import * as abi from "../abi/constants.ts";
import type { FileStatus, Files, FileWriter, RandomReader } from "../machine.ts";
import { removeTree } from "../trees.ts";
import { copyAttributes } from "./attributes.ts";
import { closing, openFile, refusable, writeAll } from "./descriptors.ts";
import { callKernel, systemCall } from "./libc.ts";
import { measureVerity } from "./storage/fs-verity.ts";
import { KINDS } from "./trees/status.ts";
import { trees } from "./trees/tree.ts";

const DEFAULT_DIRECTORY_MODE = 0o755;
const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** O_NONBLOCK: a pipe without a reader is refused (ENXIO) instead of blocking. */
const WRITER_FLAGS = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** The files of the running system. */
export function createLinuxFiles(): Omit<Files, "openAsyncReader" | "copyFile"> {
  return {
    readFile: (path) => refusable(path, () => fs.readFileSync(path)),
    writeFile: (path, data) => refusable(path, () => fs.writeFileSync(path, data, { mode: 0o644 })),
    listDirectory(path) {
      const names = refusable(path, () => fs.readdirSync(path));
      return names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    },
    makeDirectory,
    makeSymlink: (target, path) => refusable(path, () => fs.symlinkSync(target, path)),
    makeNode,
    // efivarfs knows no other attribute.
    allowChanges: (path) =>
      closing(openFile(path, "r"), (fd) => void systemCall("ioctl", path, fd, abi.FS_IOC_SETFLAGS, Int32Array.of(0))),
    changeOwner: (path, userId, groupId) => refusable(path, () => fs.chownSync(path, userId, groupId)),
    copyAttributes,
    stat: (path) => statusOf(path, fs.statSync),
    lstat: (path) => statusOf(path, fs.lstatSync),
    readLink: (path) => refusable(path, () => fs.readlinkSync(path)),
    wipeFile,
    removeFile: (path) => refusable(path, () => fs.unlinkSync(path)),
    removeDirectory: (path) => refusable(path, () => fs.rmdirSync(path)),
    removeTree: removeTreeAt,
    rename: (from, to) => refusable(from, () => fs.renameSync(from, to)),
    syncFilesystem: (path) => closing(openFile(path, "r"), (fd) => void systemCall("syncfs", path, fd)),
    openReader,
    openWriter,
    measureVerity,
    statFilesystem(path) {
      const { type: magic, blocks, bavail, bsize } = refusable(path, () => fs.statfsSync(path));
      return { magic, totalBytes: blocks * bsize, freeBytes: bavail * bsize };
    },
  };
}

/** In place: truncating first would free the pages with their content. */
function wipeFile(path: string): void {
  refusable(path, () => {
    closing(fs.openSync(path, "r+"), (file) => fs.writeSync(file, new Uint8Array(fs.fstatSync(file).size), 0));
    fs.unlinkSync(path);
  });
}

function makeDirectory(path: string, mode = DEFAULT_DIRECTORY_MODE): void {
  refusable(path, () => {
    const made = fs.mkdirSync(path, { recursive: true, mode: DEFAULT_DIRECTORY_MODE });
    // A second call: mkdir applies the umask and ignores the sticky bit.
    if (made !== undefined && mode !== DEFAULT_DIRECTORY_MODE) fs.chmodSync(path, mode);
  });
}

function makeNode(path: string, kind: "block" | "character", major: number, minor: number, mode: number): void {
  const type = kind === "block" ? abi.S_IFBLK : abi.S_IFCHR;
  // new_encode_dev() of linux/kdev_t.h: 12 bits of major between the two parts of the minor.
  const device = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
  systemCall("mknodat", path, abi.AT_FDCWD, path, type | mode, device);
  refusable(path, () => fs.chmodSync(path, mode));
}

function statusOf(path: string, stat: (path: string) => fs.Stats): FileStatus | null {
  const status = orIfRefused(() => refusable(path, () => stat(path)), null, "ENOENT", "ENOTDIR");
  if (status === null) return null;
  const kind = KINDS[status.mode & abi.S_IFMT] ?? "socket";
  const isNode = kind === "block" || kind === "character";
  return {
    kind,
    mode: status.mode & 0o7777,
    size: status.size,
    device: deviceNumber(status.dev),
    represents: isNode ? deviceNumber(status.rdev) : null,
  };
}

function deviceNumber(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
}

function openReader(path: string, isWhole = false): RandomReader {
  const fd = openFile(path, "r");
  try {
    // A directory can be opened, but its size means nothing.
    if (fs.fstatSync(fd).isDirectory()) throw new SyscallError("read", "EISDIR", path);
    // By a seek to the end, which is right for block devices too: stat returns 0 for them.
    const size = systemCall("lseek", path, fd, 0, abi.SEEK_END);
    // A probe reads at scattered places, for which readahead is a waste. Without CONFIG_ADVISE_SYSCALLS the call fails, which does no harm.
    if (!isWhole) callKernel("fadvise64", [fd, 0, 0, abi.POSIX_FADV_RANDOM]);
    const read = (offset: number, length: number) => {
      const bytes = readAt(fd, path, size, offset, length);
      if (isWhole) readAhead(fd, offset + length);
      return bytes;
    };
    return { size, read, close: () => fs.closeSync(fd) };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function readAt(fd: number, path: string, size: number, offset: number, length: number): Uint8Array {
  // With its own ArrayBuffer: of a key, `subarray` would otherwise leave a second copy behind (secretBytes of crypto/secret.ts).
  const buffer = new Uint8Array(new ArrayBuffer(Math.max(0, Math.min(length, size - offset))));
  let done = 0;
  while (done < buffer.length) {
    const count = refusable(path, () => fs.readSync(fd, buffer, done, buffer.length - done, offset + done));
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}

function openWriter(path: string): FileWriter {
  const fd = openFile(path, WRITER_FLAGS, 0o644);
  let written = 0;
  const append = (data: Uint8Array) => {
    writeAll(fd, data, path, written);
    written += data.length;
  };
  return {
    replace(data) {
      refusable(path, () => fs.ftruncateSync(fd));
      written = 0;
      append(typeof data === "string" ? Buffer.from(data) : data);
    },
    append,
    close: () => fs.closeSync(fd),
  };
}

/** The kernel limits one request to the largest of the disk (read_pages of mm/readahead.c: io_pages), often 1280 KiB. */
const AHEAD_BYTES = 1 << 20;
/** A part of a check. */
const PART_BYTES = 4 << 20;

/** Has the disk read the next part while this one is checked. A kernel that does not only takes longer. */
function readAhead(fd: number, offset: number): void {
  for (let at = offset; at < offset + PART_BYTES; at += AHEAD_BYTES) {
    callKernel("fadvise64", [fd, at, AHEAD_BYTES, abi.POSIX_FADV_WILLNEED]);
  }
}

/** fs.rmSync takes minutes for a directory of some thousand levels, which any user can make. */
function removeTreeAt(path: string): void {
  if (statusOf(path, fs.lstatSync) === null) throw new SyscallError("unlinkat", "ENOENT", path);
  const slash = path.lastIndexOf("/");
  const tree = trees.openTree(path.slice(0, slash) || "/", "as mounted");
  try {
    removeTree(tree, Buffer.from(path.slice(slash + 1)).toString("latin1"));
  } finally {
    tree.close();
  }
}

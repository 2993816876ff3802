import * as fs from "node:fs";
import { SyscallError } from "../../problems/errors.ts";
import {
  AT_FDCWD,
  errnoName,
  POSIX_FADV_RANDOM,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  SEEK_END,
} from "../abi.ts";
import type { FileStatus, Files, RandomReader } from "../machine.ts";
import { callKernel, systemCall } from "./libc.ts";
import { wipeFile } from "./wipe.ts";

const COPY_CHUNK_BYTES = 4 << 20;
const DEFAULT_DIRECTORY_MODE = 0o755;

/** The files of the running system. */
export function createLinuxFiles(): Files {
  return {
    readFile: (path) => refusable(path, () => fs.readFileSync(path)),
    writeFile: (path, data) => refusable(path, () => fs.writeFileSync(path, data, { mode: 0o644 })),
    listDirectory: (path) => refusable(path, () => fs.readdirSync(path).sort(compareBytes)),
    makeDirectory,
    makeSymlink: (target, path) => refusable(path, () => fs.symlinkSync(target, path)),
    makeNode,
    changeOwner: (path, userId, groupId) => refusable(path, () => fs.chownSync(path, userId, groupId)),
    stat: (path) => statusOf(path, fs.statSync),
    lstat: (path) => statusOf(path, fs.lstatSync),
    readLink: (path) => refusable(path, () => fs.readlinkSync(path)),
    wipeFile: (path) => refusable(path, () => wipeFile(path)),
    removeFile: (path) => refusable(path, () => fs.unlinkSync(path)),
    removeDirectory: (path) => refusable(path, () => fs.rmdirSync(path)),
    openReader,
    copyFile,
    statFilesystem(path) {
      const status = refusable(path, () => fs.statfsSync(path));
      return {
        magic: status.type,
        totalBytes: status.blocks * status.bsize,
        freeBytes: status.bavail * status.bsize,
      };
    },
  };
}

/** Runs a call of node:fs and turns its refusal into a SyscallError; any other error passes. */
export function refusable<Result>(subject: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw toSyscallError(error, subject);
  }
}

/** By the number, where there is one: node:fs has no names for the rarer errors, like EUCLEAN or ENOMEDIUM. */
function toSyscallError(error: unknown, subject: string): unknown {
  if (!(error instanceof Error)) return error;
  const { errno, code, syscall } = error as NodeJS.ErrnoException;
  if (typeof errno === "number" && errno < 0) return new SyscallError(syscall ?? "open", errnoName(-errno), subject);
  // What node refuses before it asks the kernel: a path with a NUL in it.
  if (code === "ERR_INVALID_ARG_VALUE") return new SyscallError("open", "EINVAL", JSON.stringify(subject));
  return error;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function makeDirectory(path: string, mode = DEFAULT_DIRECTORY_MODE): void {
  refusable(path, () => {
    const made = fs.mkdirSync(path, { recursive: true, mode: DEFAULT_DIRECTORY_MODE });
    // By a call of its own: mkdir takes the umask off and knows no sticky bit.
    if (made !== undefined && mode !== DEFAULT_DIRECTORY_MODE) fs.chmodSync(path, mode);
  });
}

function makeNode(path: string, kind: "block" | "character", major: number, minor: number, mode: number): void {
  const type = kind === "block" ? S_IFBLK : S_IFCHR;
  // new_encode_dev() of linux/kdev_t.h: 12 bits of major between the two parts of the minor.
  const device = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
  systemCall("mknodat", path, AT_FDCWD, path, type | mode, device);
  refusable(path, () => fs.chmodSync(path, mode));
}

function statusOf(path: string, stat: (path: string) => fs.Stats): FileStatus | null {
  try {
    const status = stat(path);
    const kind = kindOf(status.mode);
    const isNode = kind === "block" || kind === "character";
    return {
      kind,
      mode: status.mode & 0o7777,
      size: status.size,
      device: deviceNumber(status.dev),
      represents: isNode ? deviceNumber(status.rdev) : null,
    };
  } catch (error) {
    const refusal = toSyscallError(error, path);
    if (refusal instanceof SyscallError && (refusal.code === "ENOENT" || refusal.code === "ENOTDIR")) return null;
    throw refusal;
  }
}

function kindOf(mode: number): FileStatus["kind"] {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "symlink";
    case S_IFBLK:
      return "block";
    case S_IFCHR:
      return "character";
    case S_IFIFO:
      return "fifo";
    default:
      return "socket";
  }
}

function deviceNumber(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
}

function openReader(path: string): RandomReader {
  const fd = refusable(path, () => fs.openSync(path, fs.constants.O_RDONLY));
  try {
    // A directory can be opened, and where it ends is each filesystem's own matter.
    if (fs.fstatSync(fd).isDirectory()) throw new SyscallError("read", "EISDIR", path);
    // The end is where a seek gets to: right for files and for block devices, of which stat says 0.
    const size = systemCall("lseek", path, fd, 0, SEEK_END);
    // A probe reads here and there: what the kernel would read ahead is read for nothing. One without CONFIG_ADVISE_SYSCALLS does it all the same.
    callKernel("fadvise64", [fd, 0, 0, POSIX_FADV_RANDOM]);
    return { size, read: (offset, length) => readAt(fd, path, size, offset, length), close: () => fs.closeSync(fd) };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function readAt(fd: number, path: string, size: number, offset: number, length: number): Uint8Array {
  // With memory of its own: it may be a key, of which `subarray` would leave a second copy behind (secretBytes in luks/secret.ts).
  const buffer = new Uint8Array(new ArrayBuffer(Math.max(0, Math.min(length, size - offset))));
  let done = 0;
  while (done < buffer.length) {
    const count = refusable(path, () => fs.readSync(fd, buffer, done, buffer.length - done, offset + done));
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}

function copyFile(source: string, target: string, onProgress: (bytesDone: number) => void): void {
  const from = refusable(source, () => fs.openSync(source, "r"));
  let to: number | null = null;
  let complete = false;
  try {
    to = refusable(target, () => fs.openSync(target, "w", 0o644));
    copyContent({ fd: from, path: source }, { fd: to, path: target }, onProgress);
    complete = true;
  } finally {
    fs.closeSync(from);
    if (to !== null) fs.closeSync(to);
    if (to !== null && !complete) fs.rmSync(target, { force: true });
  }
}

/** Not copy_file_range(2): it does not cross filesystem types before Linux 5.19, and never to or from a device. */
function copyContent(from: OpenFile, to: OpenFile, onProgress: (bytesDone: number) => void): void {
  const buffer = new Uint8Array(COPY_CHUNK_BYTES);
  let total = 0;
  for (;;) {
    const count = refusable(from.path, () => fs.readSync(from.fd, buffer));
    if (count === 0) return;
    let written = 0;
    while (written < count) {
      written += refusable(to.path, () => fs.writeSync(to.fd, buffer, written, count - written));
    }
    total += count;
    onProgress(total);
  }
}

interface OpenFile {
  readonly fd: number;
  readonly path: string;
}

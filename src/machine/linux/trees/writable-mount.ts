import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { AT_FDCWD, O_CLOEXEC } from "../../abi/constants.ts";
import * as numbers from "../../abi/trees.ts";
import { callKernel, systemCall } from "../libc.ts";

/** A mount that no path leads to: it ends when its descriptor is closed, also if the process is killed. */
export interface PrivateMount {
  readonly fd: number;
  close(): void;
}

/** Mounts the directory once more, for this process alone and writable. */
export function mountWritable(directory: string): PrivateMount {
  const fd = systemCall("open_tree", directory, AT_FDCWD, directory, numbers.OPEN_TREE_CLONE | O_CLOEXEC);
  try {
    // struct mount_attr of linux/mount.h: attr_set, attr_clr, propagation, userns_fd.
    const attributes = BigUint64Array.of(0n, numbers.MOUNT_ATTR_RDONLY, 0n, 0n);
    systemCall("mount_setattr", directory, fd, "", numbers.AT_EMPTY_PATH, attributes, attributes.byteLength);
    const wasReadOnly = isReadOnly(fd, directory);
    if (wasReadOnly) reconfigure(fd, directory, "rw");
    return { fd, close: () => closeMount(fd, directory, wasReadOnly) };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function closeMount(fd: number, directory: string, wasReadOnly: boolean): void {
  try {
    if (wasReadOnly) reconfigure(fd, directory, "ro");
  } finally {
    fs.closeSync(fd);
  }
}

/** True if the filesystem is read-only: the mount itself no longer is. */
function isReadOnly(fd: number, directory: string): boolean {
  const status = new BigUint64Array(numbers.STATFS_WORDS);
  systemCall("fstatfs", directory, fd, status);
  return ((status[numbers.STATFS_FLAGS_WORD] ?? 0n) & numbers.ST_RDONLY) !== 0n;
}

/** Makes the filesystem writable or read-only, with its other options as they are. */
function reconfigure(fd: number, directory: string, flag: "rw" | "ro"): void {
  const context = systemCall("fspick", directory, fd, "", numbers.FSPICK_EMPTY_PATH | numbers.FSPICK_CLOEXEC);
  try {
    systemCall("fsconfig", directory, context, numbers.FSCONFIG_SET_FLAG, flag, 0, 0);
    const result = callKernel("fsconfig", [context, numbers.FSCONFIG_CMD_RECONFIGURE, 0, 0, 0]);
    if (typeof result === "string") throw new SyscallError("fsconfig", result, directory);
  } finally {
    fs.closeSync(context);
  }
}

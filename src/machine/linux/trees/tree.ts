import * as fs from "node:fs";
import { orIfRefused, SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import * as numbers from "../../abi/trees.ts";
import type { NodeKind, Tree, Trees } from "../../trees.ts";
import { refusable } from "../descriptors.ts";
import { callKernel, systemCall } from "../libc.ts";
import { attributesOf, NONE } from "./attributes.ts";
import { createFile, encodeTimes, openFile } from "./data.ts";
import { createDirectories, type Directories, type EntryPlace } from "./directories.ts";
import { type Described, fileCalls } from "./many-files.ts";
import { encodeName } from "./names.ts";
import { statusOf } from "./status.ts";
import { mountWritable } from "./writable-mount.ts";

const TYPES: Readonly<Record<NodeKind, number>> = {
  block: abi.S_IFBLK,
  character: abi.S_IFCHR,
  fifo: abi.S_IFIFO,
  socket: numbers.S_IFSOCK,
};

/** Directory trees of the running system. */
export const trees: Trees = { openTree };

function openTree(directory: string, access: "as mounted" | "writable"): Tree {
  const mount = access === "writable" ? mountWritable(directory) : null;
  const flags = abi.O_PATH | abi.O_CLOEXEC | numbers.O_DIRECTORY;
  const root = mount?.fd ?? refusable(directory, () => fs.openSync(directory, flags));
  const directories = createDirectories(root);
  let held: number | null = null;
  // syncfs(2) and flock(2) need a descriptor that can be read.
  const readable = () => {
    held ??= refusable(directory, () => fs.openSync(`/proc/self/fd/${root}`, "r"));
    return held;
  };
  const tree: Tree = {
    ...readingCalls(directories),
    ...pairCalls(directories),
    ...makingCalls(directories),
    ...changingCalls(directories),
    lock() {
      const code = callKernel("flock", [readable(), numbers.LOCK_EX | numbers.LOCK_NB]);
      if (typeof code === "string" && code !== "EAGAIN") throw new SyscallError("flock", code, directory);
      return code === 0;
    },
    freeBytes() {
      const { bavail, bsize } = refusable(directory, () => fs.statfsSync(`/proc/self/fd/${root}`));
      return bavail * bsize;
    },
    sync: () => void systemCall("syncfs", directory, readable()),
    close() {
      if (held !== null) fs.closeSync(held);
      directories.close();
      if (mount === null) fs.closeSync(root);
      else mount.close();
    },
  };
  opened.set(tree, directories);
  return tree;
}

/** There is no such entry, or something else has its name. */
const MISSING = ["ENOENT", "ENOTDIR", "ELOOP"];

/** Of the trees that are open. */
const opened = new WeakMap<Tree, Directories>();

function pairCalls({ place, inside }: Directories): Pick<Tree, "compareDirectory" | "copyFile"> {
  return {
    compareDirectory(path, other, otherPath) {
      const there = orIfRefused(() => opened.get(other)?.inside(otherPath), undefined, ...MISSING);
      return there === undefined ? null : (fileCalls()?.compareDirectories(inside(path), there) ?? null);
    },
    copyFile(path, status, target, targetPath) {
      const [calls, to] = [fileCalls(), opened.get(target)];
      return calls === null || to === undefined
        ? null
        : calls.copyFile(place(path), to.place(targetPath), status, path);
    },
  };
}

function readingCalls({
  place,
  through,
  inside,
}: Directories): Pick<Tree, "list" | "status" | "attributes" | "describe" | "readLink" | "openFile"> {
  const attributes = (path: string) => attributesOf(through(path), path);
  return {
    list: (path) =>
      refusable(path, () => fs.readdirSync(`/proc/self/fd/${inside(path)}/.`, { encoding: "buffer" })).map((name) =>
        name.toString("latin1"),
      ),
    status: (path) => orIfRefused(() => statusOf(place(path), path), null, ...MISSING),
    attributes,
    describe(path) {
      const found = orIfRefused(() => describeEntry(place(path), path), null, ...MISSING);
      if (found === null) return null;
      const kept = found.hasAttributes ? orIfRefused(() => attributes(path), null, ...MISSING) : NONE;
      return kept === null ? null : { status: found.status, attributes: kept };
    },
    readLink: (path) =>
      refusable(path, () =>
        fs.readlinkSync(Buffer.from(through(path).subarray(0, -1)), { encoding: "buffer" }),
      ).toString("latin1"),
    openFile: (path) => openFile(place(path), path),
  };
}

function describeEntry(place: EntryPlace, path: string): Described | null {
  const found = fileCalls()?.describe(place) ?? null;
  if (typeof found === "string") throw new SyscallError("statx", found, path);
  if (found !== null) return found;
  const status = statusOf(place, path);
  return status === null ? null : { status, hasAttributes: true };
}

function parseDevice(represents: string | null): number {
  const [major = 0, minor = 0] = (represents ?? "0:0").split(":").map(Number);
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

type Making = "makeDirectory" | "makeSymlink" | "makeNode" | "createFile" | "link";

function makingCalls({ place, pair }: Directories): Pick<Tree, Making> {
  return {
    makeDirectory(path) {
      const { directory, name } = place(path);
      systemCall("mkdirat", path, directory, name, 0o700);
    },
    makeSymlink(target, path) {
      const { directory, name } = place(path);
      systemCall("symlinkat", path, encodeName(target), directory, name);
    },
    makeNode(path, kind, represents) {
      const { directory, name } = place(path);
      systemCall("mknodat", path, directory, name, TYPES[kind] | 0o600, parseDevice(represents));
    },
    createFile: (path) => createFile(place(path), path),
    link(from, to) {
      const [one, other] = pair(from, to);
      systemCall("linkat", to, one.directory, one.name, other.directory, other.name, 0);
    },
  };
}

type Changing = "rename" | "remove" | "setAccess" | "setModified" | "setAttribute" | "removeAttribute";

function changingCalls({ place, through, pair, forget }: Directories): Pick<Tree, Changing> {
  return {
    rename(from, to) {
      const [one, other] = pair(from, to);
      const code = callKernel("renameat2", [one.directory, one.name, other.directory, other.name, 0]);
      if (typeof code === "string") throw new SyscallError("rename", code, to);
      forget(from);
      forget(to);
    },
    remove(path) {
      const { directory, name } = place(path);
      const code = callKernel("unlinkat", [directory, name, 0]);
      if (code === 0) return;
      if (code !== "EISDIR") throw new SyscallError("unlinkat", String(code), path);
      forget(path);
      const emptied = place(path);
      systemCall("unlinkat", path, emptied.directory, emptied.name, numbers.AT_REMOVEDIR);
    },
    setAccess(path, { userId, groupId, mode }) {
      const at = place(path);
      systemCall("fchownat", path, at.directory, at.name, userId, groupId, numbers.AT_SYMLINK_NOFOLLOW);
      // A symbolic link has no mode of its own, and chmod(2) would follow it.
      if (statusOf(at, path)?.kind !== "symlink") systemCall("fchmodat", path, at.directory, at.name, mode);
    },
    setModified(path, modifiedNs) {
      const { directory, name } = place(path);
      const times = encodeTimes(modifiedNs);
      systemCall("utimensat", path, directory, name, times, numbers.AT_SYMLINK_NOFOLLOW);
    },
    setAttribute: (path, name, value) =>
      void systemCall("lsetxattr", path, through(path), encodeName(name), value, value.length, 0),
    removeAttribute(path, name) {
      const code = callKernel("lremovexattr", [through(path), encodeName(name)]);
      if (typeof code === "string" && code !== "ENODATA") throw new SyscallError("lremovexattr", code, path);
    },
  };
}

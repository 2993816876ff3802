import type { DirectoryDifference, Tree } from "../../src/machine/trees.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { type FakeDirectory, type FakeFile, type FakeNode, fileBytes, makeFakeDirectory } from "./fake-files.ts";
import { createPlaces, keptOf, type Places, statusOf, tick } from "./fake-tree-places.ts";

export interface FakeTreeOptions {
  /** Called before each change, with the call's name. */
  readonly beforeChange?: (call: string) => void;
  /** The files whose content is not on the disk yet. */
  readonly unsynced?: Set<FakeFile>;
  readonly freeBytes?: number;
}

/** A directory tree in memory, as Linux shows one through `openTree`. */
export function fakeTree(root: FakeDirectory, options: FakeTreeOptions = {}): Tree {
  const places = createPlaces(root, options.beforeChange ?? (() => undefined));
  const tree: Tree = {
    ...readingCalls(places),
    describe(path) {
      const status = tree.status(path);
      return status === null ? null : { status, attributes: tree.attributes(path) };
    },
    compareDirectory: (path, other, otherPath) => compareDirectory(tree, path, other, otherPath),
    copyFile: () => null,
    ...makingCalls(places, options),
    ...changingCalls(places),
    lock: () => true,
    freeBytes: () => options.freeBytes ?? 2 ** 30,
    sync() {
      options.beforeChange?.("sync");
      options.unsynced?.clear();
    },
    close: () => undefined,
  };
  return tree;
}

/** Compares everything that a file has but its inode and the time of its last change. */
function compareDirectory(tree: Tree, path: string, other: Tree, at: string): DirectoryDifference {
  const describe = (one: Tree, file: string) => {
    const status = one.status(file);
    if (status?.kind !== "file" || status.links !== 1) return null;
    const bytes = new Uint8Array(status.size);
    one.openFile(file).read(bytes, 0);
    const attributes = [...one.attributes(file)].sort().map(([name, value]) => [name, [...value]]);
    if (attributes.some(([name]) => String(name).startsWith("trusted.overlay."))) return null;
    const { userId, groupId, mode, modifiedNs } = status;
    return JSON.stringify([userId, groupId, mode, String(modifiedNs), [...bytes], attributes]);
  };
  const join = (directory: string, name: string) => (directory === "" ? name : `${directory}/${name}`);
  const isSame = (name: string) => {
    const mine = describe(tree, join(path, name));
    return mine !== null && mine === describe(other, join(at, name));
  };
  const listed = tree.list(path);
  const names = listed.filter((name) => !isSame(name));
  return { names, hasMore: other.list(at).length > listed.length - names.length };
}

function readingCalls({ find, look }: Places): Pick<Tree, "list" | "status" | "attributes" | "readLink" | "openFile"> {
  return {
    list(path) {
      const node = find(path, "scandir");
      if (node.kind !== "directory") throw new SyscallError("scandir", "ENOTDIR", path);
      return [...node.entries.keys()];
    },
    status(path) {
      try {
        const node = look(path, "lstat");
        return node === null ? null : statusOf(node);
      } catch {
        return null;
      }
    },
    attributes: (path) => new Map(keptOf(find(path, "llistxattr")).attributes),
    readLink(path) {
      const node = find(path, "readlink");
      if (node.kind !== "symlink") throw new SyscallError("readlink", "EINVAL", path);
      return node.target;
    },
    openFile(path) {
      const node = find(path, "open");
      if (node.kind !== "file") throw new SyscallError("open", "EINVAL", path);
      const bytes = fileBytes(node);
      return {
        size: bytes.length,
        mayHaveHoles: true,
        nextData: (offset) => (offset < bytes.length ? { start: offset, end: bytes.length } : null),
        read(to, offset) {
          const part = bytes.subarray(offset, offset + to.length);
          to.set(part);
          return part.length;
        },
        close: () => undefined,
      };
    },
  };
}

type Making = "makeDirectory" | "makeSymlink" | "makeNode" | "createFile" | "link";

function makingCalls(places: Places, { unsynced }: FakeTreeOptions): Pick<Tree, Making> {
  const make = (path: string, call: string, node: FakeNode) => {
    places.before(call);
    if (places.look(path, call) !== null) throw new SyscallError(call, "EEXIST", path);
    places.put(path, call, node);
  };
  return {
    makeDirectory: (path) => make(path, "mkdir", makeFakeDirectory(0o700)),
    makeSymlink: (target, path) => make(path, "symlink", { kind: "symlink", target }),
    makeNode(path, kind, represents) {
      const isDevice = kind === "block" || kind === "character";
      make(path, "mknodat", isDevice ? { kind, mode: 0o600, number: represents ?? "0:0" } : { kind, mode: 0o600 });
    },
    createFile(path) {
      const node: FakeFile = { kind: "file", mode: 0o600, data: new Uint8Array() };
      make(path, "open", node);
      unsynced?.add(node);
      const resize = (size: number) => {
        const bytes = new Uint8Array(size);
        bytes.set(fileBytes(node).subarray(0, size));
        node.data = bytes;
        return bytes;
      };
      return {
        write(bytes, offset) {
          places.before("write");
          resize(Math.max(fileBytes(node).length, offset + bytes.length)).set(bytes, offset);
          places.change("write", node).modifiedNs = tick();
        },
        finish(size, kept) {
          resize(size);
          if (kept === undefined) return;
          places.before("fchown");
          node.mode = kept.access.mode;
          const { userId, groupId } = kept.access;
          const attributes = new Map([...kept.attributes].map(([name, value]) => [name, value.slice()]));
          Object.assign(places.change("fchown", node), { userId, groupId, attributes, modifiedNs: kept.modifiedNs });
        },
      };
    },
    link(from, to) {
      const node = places.find(from, "link");
      if (node.kind === "directory") throw new SyscallError("link", "EPERM", from);
      make(to, "link", node);
      places.change("link", node).links += 1;
    },
  };
}

type Changing = "rename" | "remove" | "setAccess" | "setModified" | "setAttribute" | "removeAttribute";

function changingCalls(places: Places): Pick<Tree, Changing> {
  const change = (path: string, call: string) => {
    places.before(call);
    return places.change(call, places.find(path, call));
  };
  return {
    rename: (from, to) => rename(places, from, to),
    remove(path) {
      const data = change(path, "unlinkat");
      const node = places.find(path, "unlinkat");
      if (node.kind === "directory" && node.entries.size > 0) throw new SyscallError("rmdir", "ENOTEMPTY", path);
      places.take(path, "unlinkat");
      data.links -= 1;
    },
    setAccess(path, { userId, groupId, mode }) {
      Object.assign(change(path, "chown"), { userId, groupId });
      const node = places.find(path, "chmod");
      if (node.kind !== "symlink") node.mode = mode;
    },
    setModified: (path, modifiedNs) => void Object.assign(change(path, "utimensat"), { modifiedNs }),
    setAttribute: (path, name, value) => void change(path, "lsetxattr").attributes.set(name, value.slice()),
    removeAttribute: (path, name) => void change(path, "lremovexattr").attributes.delete(name),
  };
}

function rename(places: Places, from: string, to: string): void {
  places.before("rename");
  const node = places.find(from, "rename");
  const there = places.look(to, "rename");
  if (there === node) return;
  if (to.startsWith(`${from}/`)) throw new SyscallError("rename", "EINVAL", to);
  if (there?.kind === "directory" && node.kind !== "directory") throw new SyscallError("rename", "EISDIR", to);
  if (there !== null && there.kind !== "directory" && node.kind === "directory") {
    throw new SyscallError("rename", "ENOTDIR", to);
  }
  if (there?.kind === "directory" && there.entries.size > 0) throw new SyscallError("rename", "ENOTEMPTY", to);
  if (there !== null) places.change("rename", there).links -= 1;
  places.take(from, "rename");
  places.put(to, "rename", node);
  places.change("rename", node);
}

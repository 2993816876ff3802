import type { EntryStatus } from "../../src/machine/trees.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { type FakeDirectory, type FakeNode, fileBytes } from "./fake-files.ts";

/** What a tree keeps of a node besides its content. */
interface Kept {
  readonly inode: bigint;
  userId: number;
  groupId: number;
  links: number;
  modifiedNs: bigint;
  changedNs: bigint;
  readonly attributes: Map<string, Uint8Array>;
}

const kept = new WeakMap<FakeNode, Kept>();
let count = 0n;

export function keptOf(node: FakeNode): Kept {
  const known = kept.get(node);
  if (known !== undefined) return known;
  const timeNs = tick();
  const made = {
    inode: timeNs,
    userId: 0,
    groupId: 0,
    links: 1,
    modifiedNs: timeNs,
    changedNs: timeNs,
    attributes: new Map(),
  };
  kept.set(node, made);
  return made;
}

/** Each change has a time of its own. */
export function tick(): bigint {
  count += 1n;
  return count;
}

export interface Places {
  find(path: string, call: string): FakeNode;
  look(path: string, call: string): FakeNode | null;
  put(path: string, call: string, node: FakeNode): void;
  take(path: string, call: string): void;
  change(call: string, node: FakeNode): Kept;
  before(call: string): void;
}

export function createPlaces(root: FakeDirectory, before: (call: string) => void): Places {
  const directoryOf = (path: string, call: string): FakeDirectory => {
    let at: FakeNode = root;
    for (const name of path.split("/").slice(0, -1)) {
      const next: FakeNode | undefined = at.kind === "directory" ? at.entries.get(name) : undefined;
      if (next === undefined) throw new SyscallError(call, "ENOENT", path);
      if (next.kind !== "directory") throw new SyscallError(call, "ENOTDIR", path);
      at = next;
    }
    return at as FakeDirectory;
  };
  const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const look = (path: string, call: string) =>
    path === "" ? root : (directoryOf(path, call).entries.get(nameOf(path)) ?? null);
  const touch = (node: FakeNode) => {
    const data = keptOf(node);
    data.changedNs = tick();
    return data;
  };
  const enter = (path: string, call: string, act: (entries: FakeDirectory["entries"], name: string) => void) => {
    const directory = directoryOf(path, call);
    act(directory.entries, nameOf(path));
    touch(directory).modifiedNs = tick();
  };
  return {
    look,
    find(path, call) {
      const node = look(path, call);
      if (node === null) throw new SyscallError(call, "ENOENT", path);
      return node;
    },
    put: (path, call, node) => enter(path, call, (entries, name) => entries.set(name, node)),
    take: (path, call) => enter(path, call, (entries, name) => entries.delete(name)),
    change: (_, node) => touch(node),
    before,
  };
}

export function statusOf(node: FakeNode): EntryStatus {
  const { attributes: _, ...data } = keptOf(node);
  const represents = node.kind === "block" || node.kind === "character" ? node.number : null;
  const size = node.kind === "file" ? fileBytes(node).length : 0;
  return { ...data, kind: node.kind, mode: node.kind === "symlink" ? 0o777 : node.mode, size, represents };
}

import type { FileStatus } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";

/** What is in the tree of a fake filesystem. Directories keep no way up: a place in the tree does (`FakePlace`). */
export type FakeNode = FakeFile | FakeDirectory | FakeSymlink | FakeDevice | FakePipe;

export interface FakeFile {
  readonly kind: "file";
  mode: number;
  /** A function for files of /proc and /sys that are made when they are read. */
  data: Uint8Array | (() => string);
}
export interface FakeDirectory {
  readonly kind: "directory";
  mode: number;
  readonly entries: Map<string, FakeNode>;
  /** Of a subvolume of btrfs: the device number that its files have. */
  readonly subvolume?: string;
}
export interface FakeSymlink {
  readonly kind: "symlink";
  readonly target: string;
}
export interface FakeDevice {
  readonly kind: "block" | "character";
  mode: number;
  /** "major:minor" */
  readonly number: string;
}

export interface FakePipe {
  readonly kind: "fifo" | "socket";
  mode: number;
}

/** How a test writes an entry down: text or bytes is a file of mode 0644. */
export type FakeEntry =
  | string
  | Uint8Array
  | { readonly data: string | Uint8Array; readonly mode: number }
  | { readonly link: string }
  | { readonly directory: true; readonly mode?: number }
  /** Of a btrfs, before what lies in it. */
  | { readonly subvolume: true }
  | { readonly read: () => string }
  | { readonly node: "block" | "character"; readonly number: string };

/** Entries by their paths, "/etc/fstab"; the directories above them are made. */
export type FakeTree = Readonly<Record<string, FakeEntry>>;

export function makeFakeDirectory(mode = 0o755): FakeDirectory {
  return { kind: "directory", mode, entries: new Map() };
}

export function makeFakeTree(entries: FakeTree = {}): FakeDirectory {
  const root = makeFakeDirectory();
  for (const [path, entry] of Object.entries(entries)) addEntry(root, path, entry);
  return root;
}

/** Puts an entry into a tree, with the directories above it; what was there is replaced. */
export function addEntry(root: FakeDirectory, path: string, entry: FakeEntry): void {
  const names = path.split("/").filter((name) => name !== "");
  const last = names.pop();
  if (last === undefined) return;
  let directory = root;
  for (const name of names) {
    const next = directory.entries.get(name) ?? makeFakeDirectory();
    if (next.kind !== "directory") throw new Error(`fake tree: ${path} lies below a ${next.kind}`);
    directory.entries.set(name, next);
    directory = next;
  }
  directory.entries.set(last, makeNode(entry));
}

let subvolumesMade = 0;

function makeNode(entry: FakeEntry): FakeNode {
  if (typeof entry === "string") return { kind: "file", mode: 0o644, data: Buffer.from(entry) };
  if (entry instanceof Uint8Array) return { kind: "file", mode: 0o644, data: entry };
  if ("link" in entry) return { kind: "symlink", target: entry.link };
  if ("subvolume" in entry) return { ...makeFakeDirectory(), subvolume: `0:${1000 + ++subvolumesMade}` };
  if ("directory" in entry) return makeFakeDirectory(entry.mode);
  if ("read" in entry) return { kind: "file", mode: 0o444, data: entry.read };
  if ("node" in entry) return { kind: entry.node, mode: 0o600, number: entry.number };
  const data = typeof entry.data === "string" ? Buffer.from(entry.data) : entry.data;
  return { kind: "file", mode: entry.mode, data };
}

/** A copy that shares the bytes of the files, which nobody changes in place. */
export function copyTree(node: FakeDirectory): FakeDirectory {
  const copy = makeFakeDirectory(node.mode);
  for (const [name, child] of node.entries) {
    copy.entries.set(name, child.kind === "directory" ? copyTree(child) : { ...child });
  }
  return copy;
}

/** What a file holds now. */
export function fileBytes(file: FakeFile): Uint8Array {
  return typeof file.data === "function" ? Buffer.from(file.data()) : file.data;
}

/** Bytes in all files below `directory`, but for those that are made when they are read. */
export function usedBytes(directory: FakeDirectory): number {
  let sum = 0;
  for (const node of directory.entries.values()) {
    if (node.kind === "directory") sum += usedBytes(node);
    else if (node.kind === "file" && typeof node.data !== "function") sum += node.data.length;
  }
  return sum;
}

export function nodeStatus(node: FakeNode, device: string): FileStatus {
  return {
    kind: node.kind,
    mode: node.kind === "symlink" ? 0o777 : node.mode,
    size: node.kind === "file" && typeof node.data !== "function" ? node.data.length : 0,
    device,
    represents: node.kind === "block" || node.kind === "character" ? node.number : null,
  };
}

/** The node as a directory, or ENOTDIR as `call` says it. */
export function asDirectory(node: FakeNode, call: string, path: string): FakeDirectory {
  if (node.kind !== "directory") throw new SyscallError(call, "ENOTDIR", path);
  return node;
}

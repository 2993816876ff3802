import { BootError } from "../../problems/errors.ts";

/** What the kernel sets for every inode. */
export interface Inode {
  /** Permission bits, 07777. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
}

/** A directory and what is in it, by name. */
export interface DirectoryNode extends Inode {
  readonly kind: "directory";
  readonly children: Map<string, TreeNode>;
}

/** The names of one file share the node. */
export interface FileNode extends Inode {
  readonly kind: "file";
  data: Uint8Array;
}

/** A symbolic link; its target is kept as the archive has it. */
export interface SymlinkNode extends Inode {
  readonly kind: "symlink";
  readonly target: string;
}

/** A device node, a FIFO or a socket. */
export interface SpecialNode extends Inode {
  readonly kind: "block" | "character" | "fifo" | "socket";
  readonly major: number;
  readonly minor: number;
}

/** Anything that can stand at a path. */
export type TreeNode = DirectoryNode | FileNode | SymlinkNode | SpecialNode;

/** Bytes of a path with its NUL, linux/limits.h. */
export const PATH_MAX = 4096;
/** MAXSYMLINKS of linux/namei.h. */
const SYMLINKS_MAX = 40;

/** Where a path leads: the nodes on the way with their names, the root left out. */
export type Way = readonly (readonly [name: string, node: TreeNode])[];

/** Counts the names that are looked up, so that a crafted tree cannot keep its reader busy for hours. */
export interface LookupMeter {
  left: number;
}

const UNMETERED: LookupMeter = { left: Number.POSITIVE_INFINITY };

/** What is at a path, symbolic links followed as in a root of its own: ".." never leads out of it; null where nothing is. */
export function findNode(root: DirectoryNode, path: string): TreeNode | null {
  const way = findWay(root, splitPath(path));
  return way === null ? null : (way.at(-1)?.[1] ?? root);
}

/** The path with every symbolic link followed, as "/usr/bin/busybox"; null where nothing is there. */
export function resolvePath(root: DirectoryNode, path: string): string | null {
  const way = findWay(root, splitPath(path));
  return way === null ? null : pathOf(way);
}

/** A way as an absolute path. */
export function pathOf(way: Way): string {
  return `/${way.map(([name]) => name).join("/")}`;
}

/**
 * The way to what is at a path, its parts given, symbolic links followed; null where nothing is there. It takes as many steps
 * as the path and the links in it have names. Throws BootError where `meter` runs out.
 */
export function findWay(root: DirectoryNode, parts: readonly string[], meter = UNMETERED): Way | null {
  const todo = parts.toReversed();
  const way: (readonly [name: string, node: TreeNode])[] = [];
  let links = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    spend(meter);
    if (part === "..") {
      way.pop();
      continue;
    }
    const above = way.at(-1)?.[1] ?? root;
    const node = above.kind === "directory" ? above.children.get(part) : undefined;
    if (node === undefined) return null;
    if (node.kind !== "symlink") {
      way.push([part, node]);
      continue;
    }
    links += 1;
    if (links > SYMLINKS_MAX) return null;
    if (node.target.startsWith("/")) way.length = 0;
    todo.push(...splitPath(node.target).reverse());
  }
  return way;
}

function spend(meter: LookupMeter): void {
  meter.left -= 1;
  if (meter.left < 0) {
    throw new BootError("the image's names lead through its symbolic links more often than any real image's");
  }
}

/** The names in a path, without ".". */
export function splitPath(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Every node below `directory` with its path, parents first, by name; `path` is that of the directory, "" for the root. */
export function* listTree(directory: DirectoryNode, path = ""): Generator<readonly [path: string, node: TreeNode]> {
  // A stack of its own: generators within generators would take as many steps for each node as it is deep.
  const todo: (readonly [path: string, node: TreeNode])[] = childrenOf(directory, path);
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    yield next;
    const [at, node] = next;
    if (node.kind === "directory") for (const child of childrenOf(node, at)) todo.push(child);
  }
}

/** Every file below a directory, each once however many names it has. */
export function listFiles(directory: DirectoryNode): readonly FileNode[] {
  const files = new Set<FileNode>();
  for (const [, node] of listTree(directory)) if (node.kind === "file") files.add(node);
  return [...files];
}

/** The last by name first. */
function childrenOf(directory: DirectoryNode, path: string): (readonly [path: string, node: TreeNode])[] {
  return sortedChildren(directory)
    .map(([name, node]) => [`${path}/${name}`, node] as const)
    .reverse();
}

/** What is in a directory, by name. */
export function sortedChildren({ children }: DirectoryNode): readonly (readonly [name: string, node: TreeNode])[] {
  return [...children].sort(([a], [b]) => (a < b ? -1 : 1));
}

import { BootError } from "../../problems/errors.ts";

/** The attributes of every inode. */
export interface Inode {
  /** Permission bits, 07777. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
}

/** A directory; its children by name. */
export interface DirectoryNode extends Inode {
  readonly kind: "directory";
  readonly children: Map<string, TreeNode>;
}

/** A file; its hard links share the node. */
export interface FileNode extends Inode {
  readonly kind: "file";
  data: Uint8Array;
}

/** A device node, a FIFO or a socket. */
export interface SpecialNode extends Inode {
  readonly kind: "block" | "character" | "fifo" | "socket";
  readonly major: number;
  readonly minor: number;
}

/** Anything at a path. */
export type TreeNode = DirectoryNode | FileNode | SpecialNode | (Inode & { readonly kind: "symlink"; target: string });

/** MAXSYMLINKS of linux/namei.h. */
const SYMLINKS_MAX = 40;

/** The nodes on the way to a path with their names, without the root. */
type Way = readonly (readonly [name: string, node: TreeNode])[];

/** Counts looked-up names, so that a crafted tree cannot keep its reader busy for hours. */
export interface LookupMeter {
  left: number;
}

const UNMETERED: LookupMeter = { left: Number.POSITIVE_INFINITY };

/** Returns the node at a path, symbolic links followed as in a chroot (".." never leaves the root); null if there is none. */
export function findNode(root: DirectoryNode, path: string): TreeNode | null {
  const way = findWay(root, splitPath(path));
  return way === null ? null : (way.at(-1)?.[1] ?? root);
}

/** Returns a path with every symbolic link resolved, as "/usr/bin/busybox"; null if there is nothing. */
export function resolvePath(root: DirectoryNode, path: string): string | null {
  const way = findWay(root, splitPath(path));
  return way === null ? null : pathOf(way);
}

/** Returns a way as an absolute path. */
export function pathOf(way: Way): string {
  return `/${way.map(([name]) => name).join("/")}`;
}

/**
 * Finds the way to a path, given as its parts, symbolic links followed; null if there is nothing. Takes one step for each name
 * in the path and in the links. Throws BootError when `meter` runs out.
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
  if (meter.left < 0) throw new BootError("the image's paths follow more symbolic links than any real image's");
}

/** Returns the names in a path, without ".". */
export function splitPath(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Yields every node below `directory` with its path from there, parents first, sorted by name. */
export function* listTree(directory: DirectoryNode): Generator<readonly [path: string, node: TreeNode]> {
  // An explicit stack: nested generators would take as many steps for each node as it is deep.
  const childrenOf = (node: DirectoryNode, at: string) =>
    sortedChildren(node)
      .map(([name, child]) => [`${at}/${name}`, child] as const)
      .reverse();
  const todo = childrenOf(directory, "");
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    yield next;
    const [at, node] = next;
    if (node.kind === "directory") for (const child of childrenOf(node, at)) todo.push(child);
  }
}

/** Returns every file below a directory, hard links once. */
export function listFiles(directory: DirectoryNode): readonly FileNode[] {
  return [...new Set([...listTree(directory)].flatMap(([, node]) => (node.kind === "file" ? [node] : [])))];
}

/** Returns the children of a directory, sorted by name. */
export function sortedChildren({ children }: DirectoryNode): readonly (readonly [name: string, node: TreeNode])[] {
  return [...children].sort(([a], [b]) => (a < b ? -1 : 1));
}

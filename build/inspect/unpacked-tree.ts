/** What the kernel sets for every inode. */
export interface Inode {
  /** Permission bits, 07777. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
}

export interface DirectoryNode extends Inode {
  readonly kind: "directory";
  readonly children: Map<string, TreeNode>;
}

/** The names of one file share the node. */
export interface FileNode extends Inode {
  readonly kind: "file";
  data: Uint8Array;
}

export interface SymlinkNode extends Inode {
  readonly kind: "symlink";
  readonly target: string;
}

export interface SpecialNode extends Inode {
  readonly kind: "block" | "character" | "fifo" | "socket";
  readonly major: number;
  readonly minor: number;
}

export type TreeNode = DirectoryNode | FileNode | SymlinkNode | SpecialNode;

/** MAXSYMLINKS of linux/namei.h. */
const SYMLINKS_MAX = 40;

/** What is at a path, symbolic links followed as in a root of its own: ".." never leads out of it; null where nothing is. */
export function findNode(root: DirectoryNode, path: string): TreeNode | null {
  const canonical = resolvePath(root, path);
  return canonical === null ? null : (walk(root, canonical).at(-1) ?? null);
}

/** The path with every symbolic link followed, as "/usr/bin/busybox"; null where nothing is there. */
export function resolvePath(root: DirectoryNode, path: string): string | null {
  const todo = splitPath(path).reverse();
  const done: string[] = [];
  let links = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === "..") {
      done.pop();
      continue;
    }
    const directory = walk(root, `/${done.join("/")}`).at(-1);
    const node = directory?.kind === "directory" ? directory.children.get(part) : undefined;
    if (node === undefined) return null;
    if (node.kind !== "symlink") {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > SYMLINKS_MAX) return null;
    if (node.target.startsWith("/")) done.length = 0;
    todo.push(...splitPath(node.target).reverse());
  }
  return `/${done.join("/")}`;
}

/** The nodes on a path without symbolic links, the root first; shorter or empty where it ends on the way. */
function walk(root: DirectoryNode, path: string): readonly TreeNode[] {
  const nodes: TreeNode[] = [root];
  for (const part of splitPath(path)) {
    const last = nodes.at(-1);
    const next = last?.kind === "directory" ? last.children.get(part) : undefined;
    if (next === undefined) return [];
    nodes.push(next);
  }
  return nodes;
}

/** The names in a path, without ".". */
export function splitPath(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Every node below `directory` with its path, parents first, by name; `path` is that of the directory, "" for the root. */
export function* listTree(directory: DirectoryNode, path = ""): Generator<readonly [path: string, node: TreeNode]> {
  for (const name of [...directory.children.keys()].sort()) {
    const node = directory.children.get(name);
    if (node === undefined) continue;
    yield [`${path}/${name}`, node];
    if (node.kind === "directory") yield* listTree(node, `${path}/${name}`);
  }
}

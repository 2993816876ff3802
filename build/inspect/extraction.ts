import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BootError, SyscallError } from "../../src/errors.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { attempt } from "../attempt.ts";
import {
  type DirectoryNode,
  type FileNode,
  findNode,
  listTree,
  resolvePath,
  splitPath,
  type TreeNode,
} from "./unpacked-tree.ts";

/** What a tree is written with. */
export interface ExtractOptions {
  /** Makes device nodes. */
  readonly machine: Pick<Machine, "makeNode">;
  /** Owners and device nodes are root's to give; without, setuid and setgid bits are left out, too. */
  readonly isRoot: boolean;
  /** Paths in the tree: only these, with what is below them; none is all. */
  readonly members: readonly string[];
}

/** What became of it. */
export interface Extracted {
  readonly written: number;
  /** What was not made, and why. */
  readonly leftOut: readonly string[];
}

/**
 * Writes a tree below `directory`, which must be empty or not there. Its paths have no symbolic link, no ".." and no link out
 * of it left (unpack-tree.ts), so nothing that the image says can lead elsewhere. Throws BootError.
 */
export function extractTree(root: DirectoryNode, directory: string, options: ExtractOptions): Extracted {
  const wanted = chooseNodes(root, options.members);
  prepareDirectory(directory);
  const names = new Map<FileNode, string>();
  const leftOut: string[] = [];
  for (const [path, node] of wanted) {
    const problem = writeNode(join(directory, path), node, names, options);
    if (problem !== null) leftOut.push(`${path}: ${problem}`);
  }
  // From the inside out: a directory may be closed for its owner, and what is made in it changes its time.
  for (const [path, node] of [...wanted].reverse()) {
    if (node.kind === "directory") setAttributes(join(directory, path), node, options);
  }
  return { written: wanted.length - leftOut.length, leftOut };
}

type Named = readonly [path: string, node: TreeNode];

/** In their order, directories first; with the directories above. */
function chooseNodes(root: DirectoryNode, members: readonly string[]): readonly Named[] {
  const all = [...listTree(root)];
  if (members.length === 0) return all;
  const chosen = members.map((member) => placeOf(root, member));
  return all.filter(([path]) =>
    chosen.some((wish) => path === wish || path.startsWith(`${wish}/`) || wish.startsWith(`${path}/`) || wish === ""),
  );
}

/** Where a member really lies; the last name itself may be a symbolic link. */
function placeOf(root: DirectoryNode, member: string): string {
  const parts = splitPath(member);
  const name = parts.pop();
  if (name === undefined) return "";
  const parent = resolvePath(root, parts.join("/"));
  const node = parent === null ? null : findNode(root, parent);
  if (parent === null || node?.kind !== "directory" || !node.children.has(name)) {
    throw new BootError(`there is no ${member} in the image`, {
      hint: "levain inspect --list IMAGE shows what is there",
    });
  }
  return `${parent === "/" ? "" : parent}/${name}`;
}

function prepareDirectory(directory: string): void {
  const attemptIt = <T>(action: () => T): T => attempt(`cannot extract to ${directory}`, action);
  const there = attemptIt(() => statSync(directory, { throwIfNoEntry: false }));
  if (there === undefined) {
    attemptIt(() => mkdirSync(directory, { mode: 0o755 }));
    return;
  }
  const isDirectory = there.isDirectory();
  if (isDirectory && attemptIt(() => readdirSync(directory).length === 0)) return;
  throw new BootError(`cannot extract to ${directory}: it is there already${isDirectory ? ", and not empty" : ""}`, {
    hint: "name a new directory",
  });
}

/** Returns why the node was not made, or null. Everything is made new: nothing that is there is ever followed or written over. */
function writeNode(path: string, node: TreeNode, names: Map<FileNode, string>, options: ExtractOptions): string | null {
  switch (node.kind) {
    case "directory":
      attempt(`cannot extract ${path}`, () => mkdirSync(path, { mode: 0o700 }));
      return null;
    case "file":
      writeFile(path, node, names, options);
      return null;
    case "symlink":
      attempt(`cannot extract ${path}`, () => symlinkSync(node.target, path));
      if (options.isRoot) lchownSync(path, node.uid, node.gid);
      lutimesSync(path, node.mtime, node.mtime);
      return null;
    case "block":
    case "character":
      return options.isRoot ? makeNode(path, node.kind, node, options) : "only root can make a device node";
    default:
      return `a ${node.kind} is not made`;
  }
}

function writeFile(path: string, node: FileNode, names: Map<FileNode, string>, options: ExtractOptions): void {
  const other = names.get(node);
  if (other !== undefined) {
    attempt(`cannot extract ${path}`, () => linkSync(other, path));
    return;
  }
  attempt(`cannot extract ${path}`, () => writeFileSync(path, node.data, { flag: "wx", mode: 0o600 }));
  names.set(node, path);
  setAttributes(path, node, options);
}

function makeNode(
  path: string,
  kind: "block" | "character",
  node: TreeNode & { readonly major: number; readonly minor: number },
  options: ExtractOptions,
): string | null {
  try {
    options.machine.makeNode(path, kind, node.major, node.minor, node.mode);
  } catch (error) {
    if (error instanceof SyscallError) return `the device node cannot be made (${error.code})`;
    throw error;
  }
  setAttributes(path, node, options);
  return null;
}

function setAttributes(path: string, { mode, uid, gid, mtime }: TreeNode, { isRoot }: ExtractOptions): void {
  if (isRoot) chownSync(path, uid, gid);
  chmodSync(path, isRoot ? mode : mode & 0o1777);
  utimesSync(path, mtime, mtime);
}

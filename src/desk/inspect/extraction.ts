import * as fs from "node:fs";
import { join } from "node:path";
import type { Machine } from "../../machine/machine.ts";
import { BootError, SyscallError } from "../../problems/errors.ts";
import { PATH_MAX } from "../archive/cpio.ts";
import { attempt } from "../host.ts";
import { openPrivateDirectory } from "./private-directory.ts";
import {
  type DirectoryNode,
  type FileNode,
  findNode,
  resolvePath,
  type SpecialNode,
  sortedChildren,
  splitPath,
  type TreeNode,
} from "./unpacked-tree.ts";

/** How a tree is written. */
export interface ExtractOptions {
  readonly machine: Pick<Machine, "makeNode">;
  /** Only root can set owners and create device nodes; without root, set-uid and set-gid bits are left out, too. */
  readonly isRoot: boolean;
  /** As root: create device nodes, keep set-uid and set-gid bits. */
  readonly special: boolean;
  /** Extract only these paths and everything below them; empty: everything. */
  readonly members: readonly string[];
}

const LEFT_OUT_MAX = 100;
const SPECIAL_BITS = 0o6000;

interface Job extends ExtractOptions {
  /** The directory as the user named it, for messages. */
  readonly shown: string;
  /** Where the root of the tree is written. */
  readonly base: string;
  readonly isWanted: (path: string) => boolean;
  readonly leaveOut: (path: string, reason: string) => void;
  /** The first path of every file, for its hard links. */
  readonly names: Map<FileNode, string>;
  written: number;
}

/**
 * Writes a tree below `directory`, which must be empty and private, or must not exist. Paths of the tree have no symbolic
 * links and no ".." left (unpack-tree.ts), so nothing in the image can lead elsewhere. Returns the number of entries, and what
 * was left out and why. Throws BootError.
 */
export function extractTree(root: DirectoryNode, directory: string, options: ExtractOptions) {
  const isWanted = chooseMembers(root, options.members);
  const leftOut: string[] = [];
  let more = 0;
  const leaveOut = (path: string, reason: string) => {
    if (leftOut.length < LEFT_OUT_MAX) leftOut.push(`${path}: ${reason}`);
    else more += 1;
  };
  const target = openPrivateDirectory(directory);
  try {
    const job: Job = {
      ...options,
      ...{ shown: directory, base: target.path, isWanted, leaveOut, names: new Map(), written: 0 },
    };
    writeChildren(job, root, "");
    return { written: job.written, leftOut: more === 0 ? leftOut : [...leftOut, `and ${more} more of this kind`] };
  } finally {
    target.close();
  }
}

/** Returns whether a path is to be extracted: a member, what is below it, and the directories above. Throws BootError for an unknown member. */
function chooseMembers(root: DirectoryNode, members: readonly string[]): (path: string) => boolean {
  const chosen = members.map((member) => placeOf(root, member));
  return (path) =>
    chosen.length === 0 ||
    chosen.some(
      (request) =>
        path === request || path.startsWith(`${request}/`) || request.startsWith(`${path}/`) || request === "",
    );
}

/** Returns the resolved path of a member; its last name may itself be a symbolic link. */
function placeOf(root: DirectoryNode, member: string): string {
  const parts = splitPath(member);
  const name = parts.pop();
  if (name === undefined) return "";
  const parent = resolvePath(root, parts.join("/"));
  const node = parent === null ? null : findNode(root, parent);
  if (parent === null || node?.kind !== "directory" || !node.children.has(name)) {
    throw new BootError(`the image does not contain ${member}`, {
      hint: "levain inspect --list IMAGE lists its files",
    });
  }
  return `${parent === "/" ? "" : parent}/${name}`;
}

function writeChildren(job: Job, directory: DirectoryNode, above: string): void {
  for (const [name, node] of sortedChildren(directory)) {
    const path = `${above}/${name}`;
    if (!job.isWanted(path)) continue;
    if (Buffer.byteLength(job.base + path) >= PATH_MAX) {
      job.leaveOut(path, "its path is too long");
    } else if (node.kind === "directory") {
      attemptAt(job, path, () => fs.mkdirSync(job.base + path, { mode: 0o700 }));
      writeChildren(job, node, path);
      // Last: its mode may exclude its owner, and writing into it changes its time.
      attemptAt(job, path, () => setAttributes(job, path, node));
      job.written += 1;
    } else if (attemptAt(job, path, () => writeNode(job, path, node))) {
      job.written += 1;
    }
  }
}

/** Runs `action`; a refusal of the system names the path as the user knows it. */
function attemptAt<T>(job: Job, path: string, action: () => T): T {
  const shown = join(job.shown, path);
  return attempt(`cannot extract ${shown}`, action, undefined, shown);
}

/** Returns whether the node was created. Every node is new: nothing that exists is followed or overwritten. */
function writeNode(job: Job, path: string, node: Exclude<TreeNode, DirectoryNode>): boolean {
  const target = job.base + path;
  switch (node.kind) {
    case "file":
      writeFile(job, path, node);
      return true;
    case "symlink":
      fs.symlinkSync(node.target, target);
      if (job.isRoot) fs.lchownSync(target, node.uid, node.gid);
      fs.lutimesSync(target, node.mtime, node.mtime);
      return true;
    case "block":
    case "character":
      return makeDevice(job, path, node, node.kind);
    default:
      job.leaveOut(path, `a ${node.kind} is not created`);
      return false;
  }
}

function writeFile(job: Job, path: string, node: FileNode): void {
  const other = job.names.get(node);
  if (other !== undefined) {
    fs.linkSync(job.base + other, job.base + path);
    return;
  }
  fs.writeFileSync(job.base + path, node.data, { flag: "wx", mode: 0o600 });
  job.names.set(node, path);
  setAttributes(job, path, node);
  if (job.isRoot && !job.special && (node.mode & SPECIAL_BITS) !== 0) {
    job.leaveOut(path, "written without its set-uid and set-gid bits; --special keeps them");
  }
}

function makeDevice(job: Job, path: string, node: SpecialNode, kind: "block" | "character"): boolean {
  const refuse = (reason: string) => {
    job.leaveOut(path, reason);
    return false;
  };
  if (!job.isRoot) return refuse("only root can create a device node");
  if (!job.special) return refuse("device nodes are created only with --special");
  try {
    job.machine.makeNode(job.base + path, kind, node.major, node.minor, node.mode);
  } catch (error) {
    if (error instanceof SyscallError) return refuse(`cannot create the device node (${error.code})`);
    throw error;
  }
  setAttributes(job, path, node);
  return true;
}

function setAttributes(job: Job, path: string, { mode, uid, gid, mtime }: TreeNode): void {
  const target = job.base + path;
  if (job.isRoot) fs.chownSync(target, uid, gid);
  fs.chmodSync(target, job.isRoot && job.special ? mode : mode & 0o1777);
  fs.utimesSync(target, mtime, mtime);
}

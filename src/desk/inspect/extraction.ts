import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Machine } from "../../machine/machine.ts";
import { BootError, SyscallError } from "../../problems/errors.ts";
import { attempt } from "../attempt.ts";
import { chooseMembers } from "./members.ts";
import { openPrivateDirectory } from "./private-directory.ts";
import {
  type DirectoryNode,
  type FileNode,
  PATH_MAX,
  type SpecialNode,
  sortedChildren,
  type TreeNode,
} from "./unpacked-tree.ts";

/** What a tree is written with. */
export interface ExtractOptions {
  /** Makes device nodes. */
  readonly machine: Pick<Machine, "makeNode">;
  /** Owners and device nodes are root's to give; without, setuid and setgid bits are left out, too. */
  readonly isRoot: boolean;
  /** Root makes device nodes, and keeps setuid and setgid bits, only if this is wished. */
  readonly special: boolean;
  /** Paths in the tree: only these, with what is below them; none is all. */
  readonly members: readonly string[];
}

/** What became of it. */
export interface Extracted {
  readonly written: number;
  /** What was not made, and why. */
  readonly leftOut: readonly string[];
}

const LEFT_OUT_MAX = 100;
const SPECIAL_BITS = 0o6000;

interface Job extends ExtractOptions {
  /** As the person named it, for messages. */
  readonly shown: string;
  /** Where the tree's root is written. */
  readonly base: string;
  readonly isWanted: (path: string) => boolean;
  readonly leaveOut: (path: string, reason: string) => void;
  /** The first path of every file with content, for its other names. */
  readonly names: Map<FileNode, string>;
  written: number;
}

/**
 * Writes a tree below `directory`, which must be empty and private, or not there. Its paths have no symbolic link, no ".." and
 * no link out of it left (unpack-tree.ts), so nothing that the image says can lead elsewhere. Throws BootError.
 */
export function extractTree(root: DirectoryNode, directory: string, options: ExtractOptions): Extracted {
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
      shown: directory,
      base: target.path,
      isWanted,
      leaveOut,
      names: new Map(),
      written: 0,
    };
    writeChildren(job, root, "");
    return { written: job.written, leftOut: more === 0 ? leftOut : [...leftOut, `and ${more} more like these`] };
  } finally {
    target.close();
  }
}

function writeChildren(job: Job, directory: DirectoryNode, above: string): void {
  for (const [name, node] of sortedChildren(directory)) {
    const path = `${above}/${name}`;
    if (!job.isWanted(path)) continue;
    if (Buffer.byteLength(job.base + path) >= PATH_MAX) {
      job.leaveOut(path, "its path is too long to be written");
    } else if (attemptAt(job, path, () => writeNode(job, path, node))) {
      job.written += 1;
    }
  }
}

/** A refusal of the system, with the path that the person knows; one from further down has it already. */
function attemptAt<T>(job: Job, path: string, action: () => T): T {
  const shown = join(job.shown, path);
  try {
    return attempt(`cannot extract ${shown}`, action);
  } catch (error) {
    if (!(error instanceof BootError && error.cause instanceof SyscallError)) throw error;
    if (error.message !== `cannot extract ${shown}`) throw error;
    throw new BootError(error.message, { cause: new SyscallError(error.cause.call, error.cause.code, shown) });
  }
}

/** Returns whether the node was made. Everything is made new: nothing that is there is ever followed or written over. */
function writeNode(job: Job, path: string, node: TreeNode): boolean {
  const target = job.base + path;
  switch (node.kind) {
    case "directory":
      mkdirSync(target, { mode: 0o700 });
      writeChildren(job, node, path);
      // Afterwards: it may be closed for its owner, and what is made in it changes its time.
      setAttributes(job, path, node);
      return true;
    case "file":
      writeFile(job, path, node);
      return true;
    case "symlink":
      symlinkSync(node.target, target);
      if (job.isRoot) lchownSync(target, node.uid, node.gid);
      lutimesSync(target, node.mtime, node.mtime);
      return true;
    case "block":
    case "character":
      return makeDevice(job, path, node, node.kind);
    default:
      job.leaveOut(path, `a ${node.kind} is not made`);
      return false;
  }
}

function writeFile(job: Job, path: string, node: FileNode): void {
  const other = job.names.get(node);
  if (other !== undefined) {
    linkSync(job.base + other, job.base + path);
    return;
  }
  writeFileSync(job.base + path, node.data, { flag: "wx", mode: 0o600 });
  job.names.set(node, path);
  setAttributes(job, path, node);
  if (job.isRoot && !job.special && (node.mode & SPECIAL_BITS) !== 0) {
    job.leaveOut(path, "written without its set-uid and set-gid bits, --special keeps them");
  }
}

function makeDevice(job: Job, path: string, node: SpecialNode, kind: "block" | "character"): boolean {
  const refuse = (reason: string) => {
    job.leaveOut(path, reason);
    return false;
  };
  if (!job.isRoot) return refuse("only root can make a device node");
  if (!job.special) return refuse("a device node is made with --special only");
  try {
    job.machine.makeNode(job.base + path, kind, node.major, node.minor, node.mode);
  } catch (error) {
    if (error instanceof SyscallError) return refuse(`the device node cannot be made (${error.code})`);
    throw error;
  }
  setAttributes(job, path, node);
  return true;
}

function setAttributes(job: Job, path: string, { mode, uid, gid, mtime }: TreeNode): void {
  const target = job.base + path;
  if (job.isRoot) chownSync(target, uid, gid);
  chmodSync(target, job.isRoot && job.special ? mode : mode & 0o1777);
  utimesSync(target, mtime, mtime);
}

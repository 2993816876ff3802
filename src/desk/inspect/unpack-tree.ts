import { TYPE_BITS } from "../archive/cpio.ts";
import type { CpioMember } from "../archive/cpio-reader.ts";
import {
  type DirectoryNode,
  type FileNode,
  findWay,
  type Inode,
  type LookupMeter,
  PATH_MAX,
  pathOf,
  splitPath,
  type TreeNode,
} from "./unpacked-tree.ts";

/** The tree that the kernel makes of an image's archives. Every path in it is real: nothing is above its root. */
export interface UnpackedTree {
  readonly root: DirectoryNode;
  /** Members that the kernel leaves out, a sentence each. */
  readonly problems: readonly string[];
}

const TYPE_MASK = 0o170000;
const SOCKET = 0o140000;
// linux/limits.h
const NAME_MAX = 255;
const PROBLEMS_MAX = 20;
// Some seconds' work. A real image takes some ten for each member.
const LOOKUPS_MAX = 10_000_000;

/**
 * Unpacks archives one over the other as do_name, do_symlink and maybe_link of init/initramfs.c do: the later one wins, hard
 * links hold within an archive. Throws BootError where symbolic links make that endless.
 */
export function unpackTree(archives: readonly (readonly CpioMember[])[], lookups = LOOKUPS_MAX): UnpackedTree {
  const meter: LookupMeter = { left: lookups };
  const root: DirectoryNode = { kind: "directory", mode: 0o755, uid: 0, gid: 0, mtime: 0, children: new Map() };
  const problems: string[] = [];
  for (const members of archives) {
    const links = new Map<string, FileNode>();
    for (const member of members) {
      const problem = addMember(root, member, links, meter);
      if (problem === null) continue;
      if (problems.length < PROBLEMS_MAX) problems.push(`${shorten(member.name)}: ${problem}`);
      else if (problems.length === PROBLEMS_MAX) problems.push("and more like these");
    }
  }
  return { root, problems };
}

function shorten(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}

/** Returns why the member was left out, or null. */
function addMember(
  root: DirectoryNode,
  member: CpioMember,
  links: Map<string, FileNode>,
  meter: LookupMeter,
): string | null {
  const place = findPlace(root, member.name.replace(/\0.*$/s, ""), meter); // for the kernel a name ends there
  if (place === null) return "there is no directory for it, the kernel leaves it out";
  if (place.name === "") return setRoot(root, member);
  const { parent, name } = place;
  if (place.pathBytes >= PATH_MAX)
    return `its path is longer than ${PATH_MAX - 1} bytes where its links lead, no program could open it`;
  if (Buffer.byteLength(name) > NAME_MAX) return "its name is too long for the kernel, which leaves it out";
  const there = parent.children.get(name);
  const made = makeNode(member, there, links);
  if (made?.kind === "symlink" && !isTarget(made.target))
    return "it is a symbolic link without a target that the kernel takes";
  if (made === null) return `it is of no type that the kernel knows (mode ${member.mode.toString(8)})`;
  if (there !== undefined && there.kind === "directory" && made !== there && there.children.size > 0) {
    return "there is a directory with something in it already, the kernel leaves it out";
  }
  parent.children.set(name, made);
  return null;
}

function isTarget(target: string): boolean {
  return target !== "" && Buffer.byteLength(target) < PATH_MAX;
}

/** A member "." or "/": only its attributes count. */
function setRoot(root: DirectoryNode, member: CpioMember): string | null {
  if ((member.mode & TYPE_MASK) !== TYPE_BITS.directory)
    return "it would replace the root directory, the kernel leaves it out";
  Object.assign(root, attributes(member));
  return null;
}

function makeNode(member: CpioMember, there: TreeNode | undefined, links: Map<string, FileNode>): TreeNode | null {
  const inode = attributes(member);
  const { major, minor } = member;
  switch (member.mode & TYPE_MASK) {
    case TYPE_BITS.file:
      return makeFile(member, there, links);
    case TYPE_BITS.directory:
      return there?.kind === "directory"
        ? Object.assign(there, inode)
        : { ...inode, kind: "directory", children: new Map() };
    case TYPE_BITS.symlink:
      return { ...inode, kind: "symlink", target: new TextDecoder().decode(member.data).replace(/\0.*$/s, "") };
    case TYPE_BITS.block:
      return { ...inode, kind: "block", major, minor };
    case TYPE_BITS.character:
      return { ...inode, kind: "character", major, minor };
    case TYPE_BITS.fifo:
      return { ...inode, kind: "fifo", major: 0, minor: 0 };
    case SOCKET:
      return { ...inode, kind: "socket", major: 0, minor: 0 };
    default:
      return null;
  }
}

/** A further name of a file is the file; the one that has data brings the content, first or last. What is written over keeps its other names. */
function makeFile(member: CpioMember, there: TreeNode | undefined, links: Map<string, FileNode>): FileNode {
  const { ino, devMajor, devMinor, nlink, data } = member;
  const key = `${devMajor}:${devMinor}:${ino}`;
  const linked = nlink > 1 ? links.get(key) : undefined;
  if (linked !== undefined) {
    if (data.length > 0) linked.data = data;
    return linked;
  }
  const old = there?.kind === "file" ? there : null;
  const made: FileNode =
    old === null ? { ...attributes(member), kind: "file", data } : Object.assign(old, attributes(member), { data });
  if (nlink > 1) links.set(key, made);
  return made;
}

function attributes({ mode, uid, gid, mtime }: CpioMember): Inode {
  return { mode: mode & 0o7777, uid, gid, mtime };
}

interface Place {
  readonly parent: DirectoryNode;
  readonly name: string;
  /** Of its path with all links followed. */
  readonly pathBytes: number;
}

/** The directory that a name is in, symbolic links above it followed, and its last part; null where a directory is missing. The root itself is the name "". */
function findPlace(root: DirectoryNode, path: string, meter: LookupMeter): Place | null {
  const parts = splitPath(path);
  const name = parts.pop() ?? "";
  if (name === "") return { parent: root, name, pathBytes: 1 };
  if (name === "..") return null;
  const way = findWay(root, parts, meter);
  const parent = way?.at(-1)?.[1] ?? root;
  if (way === null || parent.kind !== "directory") return null;
  return { parent, name, pathBytes: Buffer.byteLength(`${pathOf(way)}/${name}`) };
}

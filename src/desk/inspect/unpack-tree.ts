import { kindOf, NAME_MAX, PATH_MAX } from "../archive/cpio.ts";
import type { CpioMember } from "../archive/cpio-reader.ts";
import {
  type DirectoryNode,
  type FileNode,
  findWay,
  type Inode,
  type LookupMeter,
  pathOf,
  splitPath,
  type TreeNode,
} from "./unpacked-tree.ts";

const PROBLEMS_MAX = 20;
// A few seconds of work. A real image takes about ten for each member.
const LOOKUPS_MAX = 10_000_000;

/**
 * Unpacks archives over one another as do_name, do_symlink and maybe_link of init/initramfs.c do: a later member replaces an
 * earlier one, hard links are local to an archive. Every path in the tree is resolved: nothing is above its root. `problems` are
 * the members that the kernel leaves out, and why. Throws BootError if symbolic links would make that endless.
 */
export function unpackTree(archives: readonly (readonly CpioMember[])[], lookups = LOOKUPS_MAX) {
  const meter: LookupMeter = { left: lookups };
  const root: DirectoryNode = { kind: "directory", mode: 0o755, uid: 0, gid: 0, mtime: 0, children: new Map() };
  const problems: string[] = [];
  for (const members of archives) {
    const links = new Map<string, FileNode>();
    for (const member of members) {
      const problem = addMember(root, member, links, meter);
      if (problem === null) continue;
      if (problems.length < PROBLEMS_MAX) problems.push(`${member.name.replace(/^(.{200}).+/s, "$1…")}: ${problem}`);
      else if (problems.length === PROBLEMS_MAX) problems.push("and more of this kind");
    }
  }
  return { root, problems };
}

type Links = Map<string, FileNode>;

/** Returns why the member was left out, or null. */
function addMember(root: DirectoryNode, member: CpioMember, links: Links, meter: LookupMeter): string | null {
  const place = findPlace(root, member.name.replace(/\0.*$/s, ""), meter); // for the kernel a name ends there
  if (place === null) return "its directory does not exist, so the kernel leaves it out";
  if (place.name === "") return setRoot(root, member);
  const { parent, name, pathBytes } = place;
  if (pathBytes >= PATH_MAX) return `its resolved path is longer than ${PATH_MAX - 1} bytes, so no program can open it`;
  if (Buffer.byteLength(name) > NAME_MAX) return "its name is too long for the kernel, which leaves it out";
  const there = parent.children.get(name);
  const made = makeNode(member, there, links);
  if (made === null) return `the kernel does not know its type (mode ${member.mode.toString(8)})`;
  if (made.kind === "symlink" && (made.target === "" || Buffer.byteLength(made.target) >= PATH_MAX)) {
    return "it is a symbolic link whose target the kernel does not accept";
  }
  if (there?.kind === "directory" && made !== there && there.children.size > 0) {
    return "a directory that is not empty has this name, so the kernel leaves it out";
  }
  parent.children.set(name, made);
  return null;
}

/** Of a member "." or "/" only the attributes count. */
function setRoot(root: DirectoryNode, member: CpioMember): string | null {
  if (kindOf(member.mode) !== "directory") {
    return "it would replace the root directory, so the kernel leaves it out";
  }
  Object.assign(root, attributes(member));
  return null;
}

function makeNode(member: CpioMember, there: TreeNode | undefined, links: Links): TreeNode | null {
  const inode = attributes(member);
  const kind = kindOf(member.mode);
  switch (kind) {
    case null:
      return null;
    case "file":
      return makeFile(member, there, links);
    case "directory":
      return there?.kind === kind ? Object.assign(there, inode) : { ...inode, kind, children: new Map() };
    case "symlink":
      return { ...inode, kind, target: new TextDecoder().decode(member.data).replace(/\0.*$/s, "") };
    default:
      return { ...inode, kind, major: member.major, minor: member.minor };
  }
}

/** Hard links share the node, and the link that has data sets the content. A file that is replaced keeps its other links. */
function makeFile(member: CpioMember, there: TreeNode | undefined, links: Links): FileNode {
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

/** Returns the directory of a path, symbolic links resolved, and its last name ("" for the root); null if the directory does not exist. */
function findPlace(root: DirectoryNode, path: string, meter: LookupMeter) {
  const parts = splitPath(path);
  const name = parts.pop() ?? "";
  if (name === "") return { parent: root, name, pathBytes: 1 };
  if (name === "..") return null;
  const way = findWay(root, parts, meter);
  const parent = way?.at(-1)?.[1] ?? root;
  if (way === null || parent.kind !== "directory") return null;
  return { parent, name, pathBytes: Buffer.byteLength(`${pathOf(way)}/${name}`) };
}

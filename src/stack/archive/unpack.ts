import { createByteQueue } from "../../formats/tar/byte-queue.ts";
import { ArchiveError } from "../../formats/tar/fault.ts";
import { readTar, type TarEntry } from "../../formats/tar/reader.ts";
import type { Extent } from "../../formats/tar/sparse.ts";
import type { Tree, Trees } from "../../machine/trees.ts";
import { isErrno } from "../../problems/errors.ts";
import type { UnpackOrder } from "./order.ts";
import { type ArchiveSource, openSource, type SourceMachine } from "./source.ts";

/** What unpacking needs of the machine. */
export type UnpackMachine = SourceMachine & Trees;

/** What others may see of it while it runs. */
export interface Unpacked {
  source: ArchiveSource | null;
  entries: number;
  bytes: number;
  readonly lost: Set<string>;
}

/** What an entry costs a filesystem in memory besides its content: about an inode and a dentry. */
const ENTRY_BYTES = 1024;
/** What an attribute takes besides its name and value. */
const ATTRIBUTE_BYTES = 128;
const PAGE_BYTES = 4096;
const NO_ATTRIBUTES: ReadonlyMap<string, Uint8Array> = new Map();
/** How many names of attributes a warning has, and XATTR_NAME_MAX of linux/limits.h. */
const [MOST_LOST, LONGEST_ATTRIBUTE] = [20, 255];
/** What a directory is until the archive says more, and what it stays if it does not. */
const PLAIN_DIRECTORY = { userId: 0, groupId: 0, mode: 0o755 };
/** Attributes of users, labels and capabilities, ACLs; others are notes of the kernel to itself, as those of overlayfs. */
const KEPT = /^(?:user\.|security\.|system\.posix_acl_(?:access|default)$)/;

/** Unpacks an archive into an empty directory. Throws ArchiveError. */
export async function unpackArchive(machine: UnpackMachine, order: UnpackOrder, unpacked: Unpacked): Promise<void> {
  const source = openSource(machine, order);
  unpacked.source = source;
  const tree = machine.openTree(order.target, "as mounted");
  try {
    const charge = (bytes: number) => {
      unpacked.bytes += bytes;
      if (unpacked.bytes > order.limitBytes) throw new ArchiveError("room", "", String(order.limitBytes));
    };
    const places = createPlaces(tree, charge);
    for await (const entry of readTar(createByteQueue(source.parts))) {
      unpacked.entries += 1;
      charge(costOf(entry));
      await refusable(entry, () => add(tree, places, entry, unpacked.lost));
    }
    // What is made in a directory changes its time.
    for (const entry of places.named()) await refusable(entry, () => keep(tree, entry, unpacked.lost));
    await source.finish();
  } finally {
    tree.close();
    source.close();
  }
}

/** Returns what an entry takes, at most: attributes of directories are in this process besides, until the end. */
function costOf({ path, target, attributes, content }: TarEntry): number {
  const pages = (content?.extents ?? []).reduce((sum, extent) => sum + pagesOf(extent), 0);
  const noted = [...attributes].reduce((sum, [name, value]) => sum + ATTRIBUTE_BYTES + name.length + value.length, 0);
  return ENTRY_BYTES + path.length + target.length + 2 * noted + pages * PAGE_BYTES;
}

/** Returns how many pages an extent touches: two bytes may lie in two of them. */
function pagesOf({ offset, size }: Extent): number {
  return size === 0 ? 0 : Math.floor((offset + size - 1) / PAGE_BYTES) - Math.floor(offset / PAGE_BYTES) + 1;
}

async function refusable({ path }: TarEntry, act: () => void | Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isErrno(error)) throw error;
    if (error.code === "EEXIST") throw new ArchiveError("duplicate", path);
    if (error.code === "ENOTDIR" || error.code === "ELOOP") throw new ArchiveError("through", path);
    if (error.code === "ENOSPC") throw new ArchiveError("full", path);
    throw new ArchiveError("refused", path, error.code);
  }
}

/** The directories that were made. */
interface Places {
  /** Makes those above an entry that the archive does not have. */
  makeAbove(path: string): void;
  add(entry: TarEntry): void;
  /** The entries of directories, the deepest first. */
  named(): readonly TarEntry[];
}

function createPlaces(tree: Tree, charge: (bytes: number) => void): Places {
  const made = new Map<string, TarEntry | null>([["", null]]);
  const make = (path: string) => {
    if (made.has(path)) return;
    tree.makeDirectory(path);
    tree.setAccess(path, PLAIN_DIRECTORY);
    made.set(path, null);
  };
  // From the root on: a path may have 2000 levels, and none is known by the one below it.
  const makeAbove = (path: string) => {
    if (made.has(path.slice(0, Math.max(0, path.lastIndexOf("/"))))) return;
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const above = path.slice(0, end);
      if (made.has(above)) continue;
      // Only a directory may be there, and each of those is known.
      if (tree.status(above) !== null) throw new ArchiveError("through", path);
      charge(ENTRY_BYTES + above.length);
      make(above);
    }
  };
  return {
    makeAbove,
    add(entry) {
      if (made.get(entry.path)) throw new ArchiveError("duplicate", entry.path);
      makeAbove(entry.path);
      make(entry.path);
      made.set(entry.path, entry);
    },
    named: () => [...made.values()].filter((entry) => entry !== null).reverse(),
  };
}

function add(tree: Tree, places: Places, entry: TarEntry, lost: Set<string>): void | Promise<void> {
  const { kind, path, target } = entry;
  if (kind === "directory") return places.add(entry);
  places.makeAbove(path);
  switch (kind) {
    case "file":
      return addFile(tree, entry, lost);
    case "link":
      return addLink(tree, path, target);
    case "symlink":
      tree.makeSymlink(target, path);
      break;
    default:
      tree.makeNode(path, kind, entry.represents);
  }
  keep(tree, entry, lost);
}

async function addFile(tree: Tree, entry: TarEntry, lost: Set<string>): Promise<void> {
  const { path, access, modifiedNs, content, attributes } = entry;
  const writer = tree.createFile(path);
  let isWhole = false;
  try {
    for await (const { offset, bytes } of entry.parts()) writer.write(bytes, offset);
    isWhole = true;
  } finally {
    if (!isWhole) writer.finish(0);
  }
  writer.finish(content?.size ?? 0, { access, attributes: NO_ATTRIBUTES, modifiedNs });
  keepAttributes(tree, path, attributes, lost);
}

function addLink(tree: Tree, path: string, target: string): void {
  const kind = tree.status(target)?.kind;
  if (kind === undefined || kind === "directory") throw new ArchiveError("link", path, target);
  tree.link(target, path);
}

/** The owner first: changing it removes capabilities and the set-user-ID bit. */
function keep(tree: Tree, { path, access, attributes, modifiedNs }: TarEntry, lost: Set<string>): void {
  tree.setAccess(path, access);
  keepAttributes(tree, path, attributes, lost);
  tree.setModified(path, modifiedNs);
}

function keepAttributes(tree: Tree, path: string, attributes: TarEntry["attributes"], lost: Set<string>): void {
  for (const [name, value] of attributes) {
    try {
      if (KEPT.test(name)) tree.setAttribute(path, name, value);
      else note(lost, name);
    } catch (error) {
      if (!isErrno(error, "EOPNOTSUPP", "EPERM", "EINVAL")) throw error;
      note(lost, name);
    }
  }
}

/** An archive may have any number of names, of any length; a report has room for a few. */
function note(lost: Set<string>, name: string): void {
  if (lost.size < MOST_LOST) lost.add(name.slice(0, LONGEST_ATTRIBUTE));
}

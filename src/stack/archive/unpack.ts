import { createByteQueue } from "../../formats/tar/byte-queue.ts";
import { ArchiveError } from "../../formats/tar/fault.ts";
import { readTar, type TarEntry } from "../../formats/tar/reader.ts";
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
const PAGE_BYTES = 4096;
const NO_ATTRIBUTES: ReadonlyMap<string, Uint8Array> = new Map();
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
    const places = createPlaces(tree);
    for await (const entry of readTar(createByteQueue(source.parts))) {
      unpacked.entries += 1;
      unpacked.bytes += costOf(entry);
      if (unpacked.bytes > order.limitBytes) throw new ArchiveError("room", "", String(order.limitBytes));
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

function costOf({ content }: TarEntry): number {
  const pages = (content?.extents ?? []).reduce((sum, { size }) => sum + Math.ceil(size / PAGE_BYTES), 0);
  return ENTRY_BYTES + pages * PAGE_BYTES;
}

async function refusable({ path }: TarEntry, act: () => void | Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isErrno(error)) throw error;
    if (error.code === "EEXIST") throw new ArchiveError("duplicate", path);
    if (error.code === "ENOTDIR" || error.code === "ELOOP") throw new ArchiveError("through", path);
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

function createPlaces(tree: Tree): Places {
  const made = new Map<string, TarEntry | null>([["", null]]);
  const make = (path: string) => {
    if (made.has(path)) return;
    makeAbove(path);
    tree.makeDirectory(path);
    tree.setAccess(path, PLAIN_DIRECTORY);
    made.set(path, null);
  };
  const makeAbove = (path: string) => {
    const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (made.has(above)) return;
    // Only a directory may be there, and each of those is known.
    if (tree.status(above) !== null) throw new ArchiveError("through", path);
    make(above);
  };
  return {
    makeAbove,
    add(entry) {
      if (made.get(entry.path)) throw new ArchiveError("duplicate", entry.path);
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
      else lost.add(name);
    } catch (error) {
      if (!isErrno(error, "EOPNOTSUPP", "EPERM", "EINVAL")) throw error;
      lost.add(name);
    }
  }
}

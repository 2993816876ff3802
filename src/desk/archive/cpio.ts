import { BootError } from "../../problems/errors.ts";
import type { Content } from "./content.ts";
import type { ImageEntry } from "./tree.ts";

// The "newc" format of Documentation/driver-api/early-userspace/buffer-format.rst: a header of a magic and 13 fields of
// eight hex digits, the name with its NUL padded to 4, the data padded to 4; an entry named TRAILER!!! is the last.
/** The first bytes of every header. */
export const MAGIC = "070701";
export const HEADER_BYTES = 110;
const BLOCK_BYTES = 512;
/** The name of the last entry of an archive. */
export const TRAILER = "TRAILER!!!";

/** Eight hex digits. */
const FIELD_MAX = 0xffffffff;

/** Bytes of a path with its NUL (linux/limits.h). init/initramfs.c silently skips longer names and symlink targets. */
export const PATH_MAX = 4096;
/** Bytes of one name in a path (linux/limits.h). */
export const NAME_MAX = 255;
// A dev_t of the kernel has 12 bits for the major and 20 for the minor number (linux/kdev_t.h).
const MAJOR_MAX = 0xfff;
const MINOR_MAX = 0xfffff;

/** The type bits of st_mode, from linux/stat.h. */
export const TYPE_BITS = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  block: 0o060000,
  character: 0o020000,
  fifo: 0o010000,
  socket: 0o140000,
} as const;
const TYPE_MASK = 0o170000; // S_IFMT

/** Returns the kind of file of a st_mode, null if it has none. */
export function kindOf(mode: number): keyof typeof TYPE_BITS | null {
  const kinds = Object.keys(TYPE_BITS) as (keyof typeof TYPE_BITS)[];
  return kinds.find((kind) => TYPE_BITS[kind] === (mode & TYPE_MASK)) ?? null;
}

/** Returns how many bytes `writeCpio` yields for these entries. */
export function measureCpio(entries: readonly ImageEntry[]): number {
  const sizes = layOut(entries).map(({ head, body }) => head.length + align(body?.size ?? 0, 4));
  return align(
    sizes.reduce((sum, size) => sum + size, 0),
    BLOCK_BYTES,
  );
}

/**
 * Yields entries, in the order of `sortEntries`, as a newc archive, padded to 512 bytes as cpio(1) does; the same entries give
 * the same bytes. Throws BootError before the first piece if an entry exceeds the limits of the format or the kernel. `room` is
 * that of `Content`.
 */
export function* writeCpio(entries: readonly ImageEntry[], room?: Uint8Array): Generator<Uint8Array> {
  let size = 0;
  for (const { head, body } of layOut(entries)) {
    yield head;
    if (body) yield* body.chunks(room);
    const [length, end] = [body?.size ?? 0, align(body?.size ?? 0, 4)];
    if (end > length) yield new Uint8Array(end - length);
    size += head.length + end;
  }
  yield new Uint8Array(align(size, BLOCK_BYTES) - size);
}

/** Returns the header of each member, padded, and what follows it. Numbers inodes from 1; the names of one file share theirs, and the last name has the data. The trailer is the last member. */
function layOut(entries: readonly ImageEntry[]) {
  const inodes = new Map<ImageEntry | Content, { ino: number; mode: number; names: number; last: ImageEntry }>();
  for (const entry of entries) {
    checkLimits(entry);
    const inode = inodes.get(inodeKey(entry));
    const [ino, mode] = [inode?.ino ?? inodes.size + 1, inode?.mode ?? modeOf(entry)];
    inodes.set(inodeKey(entry), { ino, mode, names: (inode?.names ?? 0) + 1, last: entry });
  }
  const members = entries.map((entry) => {
    const { ino, mode, names, last } = inodes.get(inodeKey(entry)) ?? { ino: 0, mode: 0, names: 1, last: null };
    const body = bodyOf(entry, last === entry);
    const nlink = entry.kind === "directory" ? 2 : names;
    const [major, minor] = "major" in entry ? [entry.major, entry.minor] : [0, 0];
    return { head: encodeHeader(entry.path.slice(1), [ino, mode, nlink, body?.size ?? 0, major, minor]), body };
  });
  return [...members, { head: encodeHeader(TRAILER, [0, 0, 1, 0, 0, 0]), body: null }];
}

/** Throws BootError if `entry` exceeds a limit of the newc format or of the kernel that unpacks it. */
function checkLimits(entry: ImageEntry): void {
  const reason = findFault(entry);
  if (reason === null) return;
  const shown = entry.path.length > 80 ? `${entry.path.slice(0, 80)}…` : entry.path;
  throw new BootError(`an initramfs cannot contain ${shown}: ${reason}`, { hint: "leave it out of the image" });
}

function findFault(entry: ImageEntry): string | null {
  const name = entry.path.slice(1);
  if (name === TRAILER) return "its name marks the end of a cpio archive";
  if (Buffer.byteLength(name) >= PATH_MAX) return `its path is longer than ${PATH_MAX - 1} bytes`;
  if (name.split("/").some((part) => Buffer.byteLength(part) > NAME_MAX)) {
    return `a name in its path is longer than ${NAME_MAX} bytes`;
  }
  if (entry.kind === "symlink" && entry.target === "") return "the target of the symlink is empty";
  if (entry.kind === "symlink" && Buffer.byteLength(entry.target) >= PATH_MAX) {
    return `the target of the symlink is longer than ${PATH_MAX - 1} bytes`;
  }
  if (entry.kind === "file" && entry.content.size > FIELD_MAX) return "a file must be smaller than 4 GiB";
  const isNode = entry.kind === "block" || entry.kind === "character";
  if (isNode && (entry.major > MAJOR_MAX || entry.minor > MINOR_MAX)) {
    return `the kernel has no device number ${entry.major}:${entry.minor}`;
  }
  return null;
}

function inodeKey(entry: ImageEntry): ImageEntry | Content {
  return entry.kind === "file" ? entry.content : entry;
}

function modeOf(entry: ImageEntry): number {
  return TYPE_BITS[entry.kind] | (entry.kind === "symlink" ? 0o777 : entry.mode);
}

function bodyOf(entry: ImageEntry, isLastName: boolean): Content | null {
  if (entry.kind === "file") return isLastName ? entry.content : null;
  if (entry.kind !== "symlink") return null;
  const target = new TextEncoder().encode(entry.target);
  return { size: target.length, chunks: () => [target] };
}

type Fields = readonly [ino: number, mode: number, nlink: number, size: number, major: number, minor: number];

/** The mtime, the owner and the device of the file are always 0. */
function encodeHeader(path: string, [ino, mode, nlink, size, major, minor]: Fields): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  const fields = [ino, mode, 0, 0, nlink, 0, size, 0, 0, major, minor, name.length, 0];
  const bytes = new Uint8Array(align(HEADER_BYTES + name.length, 4));
  bytes.set(Buffer.from(MAGIC + fields.map((field) => hex(field, path)).join("")));
  bytes.set(name, HEADER_BYTES);
  return bytes;
}

function hex(value: number, name: string): string {
  if (!Number.isInteger(value) || value < 0 || value > FIELD_MAX) {
    throw new BootError(`the cpio format cannot store the number ${value} of ${name}`);
  }
  return value.toString(16).toUpperCase().padStart(8, "0");
}

/** Rounds `size` up to a multiple of `to`. */
export function align(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}

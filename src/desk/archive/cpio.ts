import { BootError } from "../../problems/errors.ts";
import type { Content } from "./content.ts";
import { checkLimits, FIELD_MAX, TRAILER } from "./cpio-limits.ts";
import type { ImageEntry } from "./tree.ts";

// The "newc" format of Documentation/driver-api/early-userspace/buffer-format.rst: a header of a magic and 13 fields of
// eight hex digits, the name with its NUL padded to 4, the data padded to 4; an entry named TRAILER!!! is the last.
/** The first bytes of every header. */
export const MAGIC = "070701";
export const HEADER_BYTES = 110;
const BLOCK_BYTES = 512;

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
/** S_IFMT. */
export const TYPE_MASK = 0o170000;

/** The fields of a header that vary: mtime, owner and the device of the file are always 0. */
interface Header {
  readonly ino: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  readonly name: string;
}

/** One entry of the archive: its header and what follows it. */
interface Member {
  readonly header: Header;
  readonly body: Content | null;
}

/** Returns how many bytes `writeCpio` yields for these entries. */
export function measureCpio(entries: readonly ImageEntry[]): number {
  let size = 0;
  for (const { header } of layOut(entries)) size += encodeHeader(header).length + align(header.size, 4);
  return align(size + encodeHeader(trailer).length, BLOCK_BYTES);
}

/**
 * Yields entries, in the order of `sortEntries`, as a newc archive, padded to 512 bytes as cpio(1) does; the same entries give
 * the same bytes. Throws BootError before the first piece if an entry exceeds the limits of the format or the kernel.
 */
export function* writeCpio(entries: readonly ImageEntry[]): Generator<Uint8Array> {
  let size = 0;
  for (const { header, body } of layOut(entries)) {
    const head = encodeHeader(header);
    yield head;
    if (body) yield* body.chunks();
    const end = align(header.size, 4);
    if (end > header.size) yield new Uint8Array(end - header.size);
    size += head.length + end;
  }
  const head = encodeHeader(trailer);
  yield head;
  size += head.length;
  yield new Uint8Array(align(size, BLOCK_BYTES) - size);
}

const trailer: Header = { ino: 0, mode: 0, nlink: 1, size: 0, major: 0, minor: 0, name: TRAILER };

/** Numbers inodes from 1; the names of one file share theirs, and the last name has the data. */
function layOut(entries: readonly ImageEntry[]): readonly Member[] {
  const inodes = new Map<
    ImageEntry | Content,
    { readonly ino: number; readonly mode: number; names: number; last: string }
  >();
  for (const entry of entries) {
    checkLimits(entry);
    const inode = inodes.get(inodeKey(entry)) ?? { ino: inodes.size + 1, mode: modeOf(entry), names: 0, last: "" };
    inode.names += 1;
    inode.last = entry.path;
    inodes.set(inodeKey(entry), inode);
  }
  return entries.map((entry) => {
    const inode = inodes.get(inodeKey(entry)) ?? { ino: 0, mode: 0, names: 1, last: "" };
    const body = bodyOf(entry, inode.last === entry.path);
    return {
      body,
      header: {
        ino: inode.ino,
        mode: inode.mode,
        nlink: entry.kind === "directory" ? 2 : inode.names,
        size: body?.size ?? 0,
        major: "major" in entry ? entry.major : 0,
        minor: "minor" in entry ? entry.minor : 0,
        name: entry.path.slice(1),
      },
    };
  });
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

function encodeHeader(header: Header): Uint8Array {
  const name = Buffer.from(`${header.name}\0`);
  const { ino, mode, nlink, size, major, minor } = header;
  const fields = [ino, mode, 0, 0, nlink, 0, size, 0, 0, major, minor, name.length, 0];
  const text = fields.map((field) => hex(field, header.name)).join("");
  const bytes = new Uint8Array(align(HEADER_BYTES + name.length, 4));
  bytes.set(Buffer.from(MAGIC + text));
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

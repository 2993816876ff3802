import { le16, le32, le64 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** What is wrong with an image file by its own superblock. */
export type ImageFlaw =
  /** The file ends before the filesystem does, which has `wholeBytes`. */
  | { readonly kind: "short"; readonly wholeBytes: number }
  /** `part` of it, as "the inode table", cannot be where the superblock says, or holds something else. */
  | { readonly kind: "damaged"; readonly part: string };

/** Looks for a flaw that the kernel would find only after the root was handed over, by a few short reads. Throws what `source` throws. */
export type FindFlaw = (source: ByteSource) => ImageFlaw | null;

/** Finds an EROFS that is cut off, by `blocks` and `blkszbits` of struct erofs_super_block (fs/erofs/erofs_fs.h). */
export const findErofsFlaw: FindFlaw = (source) => {
  const sb = source.read(1024, 128);
  const wholeBytes = le32(sb, 36) * 2 ** Math.min(sb[12] ?? 0, 16);
  return wholeBytes > source.size ? { kind: "short", wholeBytes } : null;
};

/** struct squashfs_super_block (fs/squashfs/squashfs_fs.h). */
const SUPERBLOCK_BYTES = 96;
/** SQUASHFS_METADATA_SIZE: a block of a table, uncompressed. */
const METADATA_BYTES = 8192;
/** SQUASHFS_INVALID_BLK: the image has no such table. */
const NONE = 0xffff_ffff_ffff_ffffn;
/** An index is read at once; the image must not decide how much memory that takes. */
const MOST_INDEX_BYTES = 1 << 20;

/** A table that an index leads to: a 64-bit place for each of its blocks. */
interface IndexedTable {
  readonly part: string;
  /** Where its index begins. */
  readonly start: bigint;
  readonly bytes: number;
}

/** Finds a squashfs 4.0 that is cut off, or whose tables are not where its superblock says: they are at its end, which an interrupted copy leaves empty. */
export const findSquashfsFlaw: FindFlaw = (source) => {
  const sb = source.read(0, SUPERBLOCK_BYTES);
  if (sb.length < SUPERBLOCK_BYTES) return { kind: "damaged", part: "the superblock" };
  const end = le64(sb, 40);
  if (end > BigInt(source.size)) return { kind: "short", wholeBytes: Number(end) };
  if (le16(sb, 28) !== 4) return null; // an older version, which Linux does not mount
  const [inodes, directories] = [le64(sb, 64), le64(sb, 72)];
  const root = inodes + (le64(sb, 32) >> 16n);
  if (!isBlock(source, inodes, directories)) return { kind: "damaged", part: "the inode table" };
  if (!isBlock(source, root, directories)) return { kind: "damaged", part: "the inode of the root directory" };
  if (!isBlock(source, directories, end)) return { kind: "damaged", part: "the directory table" };
  const broken = listTables(sb).find((table) => !isTable(source, table, { after: directories, end }));
  return broken === undefined ? null : { kind: "damaged", part: broken.part };
};

function listTables(sb: Uint8Array): readonly IndexedTable[] {
  const all = [
    { part: "the table of user and group IDs", start: le64(sb, 48), bytes: le16(sb, 26) * 4 },
    { part: "the fragment table", start: le64(sb, 80), bytes: le32(sb, 16) * 16 },
    { part: "the export table", start: le64(sb, 88), bytes: le32(sb, 4) * 8 },
  ];
  return all.filter(({ start, bytes }) => start !== NONE && bytes > 0);
}

/** True if the places in the index lie between the directory table and the index, in order, and a block begins at the first. */
function isTable(
  source: ByteSource,
  { start, bytes }: IndexedTable,
  { after, end }: { readonly after: bigint; readonly end: bigint },
): boolean {
  const length = Math.ceil(bytes / METADATA_BYTES) * 8;
  if (start < after || start + BigInt(length) > end) return false;
  const index = source.read(Number(start), Math.min(length, MOST_INDEX_BYTES));
  const places = Array.from({ length: index.length / 8 }, (_, at) => le64(index, at * 8));
  const isInOrder = places.every((place, at) => place > (places[at - 1] ?? after - 1n) && place < start);
  return isInOrder && isBlock(source, places[0] ?? 0n, start);
}

/** True if a block of metadata begins at `place` and ends at or before `end`. Its first two bytes are its length as it is stored, and a flag. */
function isBlock(source: ByteSource, place: bigint, end: bigint): boolean {
  if (place < SUPERBLOCK_BYTES || place + 2n >= end) return false;
  const bytes = le16(source.read(Number(place), 2), 0) & 0x7fff;
  return bytes > 0 && bytes <= METADATA_BYTES && place + 2n + BigInt(bytes) <= end;
}

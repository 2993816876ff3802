import { type Hash, hashBytes } from "../../crypto/hash.ts";
import type { ByteSource } from "../facts.ts";
import { SUPERBLOCK_BYTES, type VerityFormat } from "./superblock.ts";

/** One level of a hash tree: where it begins in the hash area, and how many blocks it has. */
export interface TreeLevel {
  /** In hash blocks from the beginning of the device or file. */
  readonly start: number;
  readonly blocks: number;
}

/** The tree of a format: the levels from the digests of the data up to the one block whose digest is the root hash; none for a single data block. */
export interface HashTree {
  readonly format: VerityFormat;
  readonly hash: Hash;
  /** How many digests a hash block has: a power of two. */
  readonly perBlock: number;
  /** Bytes from one digest to the next. */
  readonly stride: number;
  readonly levels: readonly TreeLevel[];
  /** The hash block behind the tree. */
  readonly end: number;
}

/** Returns the number of the first hash block (VERITY_hash_offset_block): behind the superblock, if there is one. */
export function firstHashBlock(
  { hashBlock }: Pick<VerityFormat, "hashBlock">,
  offset: number,
  hasSuperblock: boolean,
): number {
  return hasSuperblock ? Math.ceil((offset + SUPERBLOCK_BYTES) / hashBlock) : Math.floor(offset / hashBlock);
}

/** Plans the tree as the kernel reads it (verity_ctr of drivers/md/dm-verity-target.c): the top level comes first. null if a hash block has no room for two digests. */
export function planTree(format: VerityFormat, hash: Hash, start: number): HashTree | null {
  const { hashType, hashBlock, dataBlocks } = format;
  const perBlock = 2 ** Math.floor(Math.log2(hashBlock / hash.bytes));
  if (perBlock < 2) return null;
  const sizes: number[] = [];
  for (let count = dataBlocks; count > 1; ) {
    count = Math.ceil(count / perBlock);
    sizes.push(count);
  }
  let at = start;
  const levels = sizes.toReversed().map((blocks) => {
    const level = { start: at, blocks };
    at += blocks;
    return level;
  });
  const stride = hashType === 1 ? hashBlock / perBlock : hash.bytes;
  return { format, hash, perBlock, stride, levels: levels.toReversed(), end: at };
}

/** Returns the digest of a data block or hash block with the salt. */
export function digestBlock({ format, hash }: Pick<HashTree, "format" | "hash">, block: Uint8Array): Uint8Array {
  const parts = format.hashType === 1 ? [format.salt, block] : [block, format.salt];
  return hashBytes(hash, Buffer.concat(parts));
}

/** What does not match in the path from the root hash to the first data block: a hash block by its level, from 0 at the data, or the data itself. */
export type TreeFlaw =
  | { readonly kind: "hash"; readonly level: number; readonly offset: number }
  | { readonly kind: "data" };

/**
 * Follows the tree from the root hash down to the first data block; null if all match. Most of what can be wrong with the two
 * devices shows here, before the kernel would report it at the first read.
 */
export function checkFirstPath(
  tree: HashTree,
  rootHash: Uint8Array,
  data: ByteSource,
  hashes: ByteSource,
): TreeFlaw | null {
  const { format, hash, levels } = tree;
  let wanted = rootHash;
  for (const [index, { start }] of levels.toReversed().entries()) {
    const offset = start * format.hashBlock;
    const block = hashes.read(offset, format.hashBlock);
    const isWhole = block.length === format.hashBlock;
    if (!isWhole || !isSame(digestBlock(tree, block), wanted)) {
      return { kind: "hash", level: levels.length - 1 - index, offset };
    }
    wanted = block.slice(0, hash.bytes);
  }
  const first = data.read(0, format.dataBlock);
  return first.length === format.dataBlock && isSame(digestBlock(tree, first), wanted) ? null : { kind: "data" };
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

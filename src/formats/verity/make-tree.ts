import type { ByteSource } from "../facts.ts";
import { digestBlock, type HashTree } from "./tree.ts";

/** What receives the blocks of a new tree, and the progress in bytes of data. */
export interface TreeOutput {
  /** `offset` in bytes from the beginning of the hash device or file. */
  write(offset: number, bytes: Uint8Array): void;
  progress(done: number): void;
}

/** How much data is read at once: a multiple of every block size. */
const CHUNK_BYTES = 4 << 20;

/** Writes the tree over `data`, and returns the root hash. What is missing of the last data block counts as zeros. */
export function makeTree(tree: HashTree, data: ByteSource, output: TreeOutput): Uint8Array {
  const { hashBlock } = tree.format;
  let digests = digestData(tree, data, output);
  for (const { start, blocks } of tree.levels) {
    const area = packLevel(tree, digests, blocks);
    output.write(start * hashBlock, area);
    digests = new Uint8Array(blocks * tree.hash.bytes);
    digestInto(digests, 0, tree, area, hashBlock);
  }
  return digests;
}

function digestData(tree: HashTree, data: ByteSource, output: TreeOutput): Uint8Array {
  const { dataBlock, dataBlocks } = tree.format;
  const digests = new Uint8Array(dataBlocks * tree.hash.bytes);
  const total = dataBlocks * dataBlock;
  for (let at = 0; at < total; at += CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, total - at));
    chunk.set(data.read(at, chunk.length));
    digestInto(digests, at / dataBlock, tree, chunk, dataBlock);
    output.progress(at + chunk.length);
  }
  return digests;
}

/** Writes the digest of each block of `bytes` into `digests`, from number `first` on. */
function digestInto(digests: Uint8Array, first: number, tree: HashTree, bytes: Uint8Array, blockBytes: number): void {
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const digest = digestBlock(tree, bytes.subarray(from, from + blockBytes));
    digests.set(digest, (first + from / blockBytes) * tree.hash.bytes);
  }
}

/** The digests of one level in its hash blocks; what is left of a block is zero. */
function packLevel({ format, perBlock, stride, hash }: HashTree, digests: Uint8Array, blocks: number): Uint8Array {
  const area = new Uint8Array(blocks * format.hashBlock);
  for (let index = 0; index * hash.bytes < digests.length; index++) {
    const digest = digests.subarray(index * hash.bytes, (index + 1) * hash.bytes);
    area.set(digest, Math.floor(index / perBlock) * format.hashBlock + (index % perBlock) * stride);
  }
  return area;
}

import { findHash } from "../../src/crypto/hash.ts";
import { makeTree } from "../../src/formats/verity/make-tree.ts";
import { type VerityFormat, writeVeritySuperblock } from "../../src/formats/verity/superblock.ts";
import { firstHashBlock, planTree } from "../../src/formats/verity/tree.ts";
import { makeFakeTree } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";

/** An image with its hash tree. */
export interface VerityDisk {
  /** The image, filled up to a whole block. */
  readonly data: FakeImage;
  readonly hashes: FakeImage;
  /** Both in one: the tree begins where the data end. */
  readonly joined: FakeImage;
  readonly rootHash: string;
  /** Where the tree begins in `joined`. */
  readonly offset: number;
}

/** Makes the hash tree of an image, as veritysetup would (test/unit/formats/verity compares the two). */
export function verityDisk(image: FakeImage, changes: Partial<VerityFormat> = {}): VerityDisk {
  const bytes = new Uint8Array(Math.ceil(image.bytes.length / 4096) * 4096);
  bytes.set(image.bytes);
  const format: VerityFormat = {
    ...{ hashType: 1, uuid: "8cfdf1cd-0a8c-4d3a-9d2c-6c4b3a1f0e5d", algorithm: "sha256", dataBlock: 4096 },
    ...{ hashBlock: 4096, dataBlocks: bytes.length / 4096, salt: Uint8Array.fromHex("5a17"), ...changes },
  };
  const hash = findHash(format.algorithm);
  const tree = hash && planTree(format, hash, firstHashBlock(format, 0, true));
  if (!tree) throw new Error(`no tree of ${format.algorithm}`);
  const hashes = new Uint8Array(tree.end * format.hashBlock);
  hashes.set(writeVeritySuperblock(format));
  const source = { size: bytes.length, read: (at: number, length: number) => bytes.subarray(at, at + length) };
  const output = { write: (at: number, part: Uint8Array) => hashes.set(part, at), progress: () => undefined };
  const rootHash = makeTree(tree, source, output).toHex();
  return {
    data: { ...image, bytes },
    hashes: { type: "DM_verity_hash", bytes: hashes, root: makeFakeTree({}) },
    joined: { ...image, bytes: Buffer.concat([bytes, hashes]) },
    rootHash,
    offset: bytes.length,
  };
}

/** The same image with one byte changed. */
export function damaged(image: FakeImage, at: number): FakeImage {
  return { ...image, bytes: new Uint8Array(image.bytes).with(at, (image.bytes[at] ?? 0) ^ 1) };
}

/** The UUID that a root hash gives to a partition. */
export function partitionUuid(rootHash: string, part: "data" | "hash"): string {
  const digits = part === "data" ? rootHash.slice(0, 32) : rootHash.slice(-32);
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

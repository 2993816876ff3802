import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { formatUuid, holds, isEmpty, isPowerOfTwo, le16, le32, le64 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** What a dm-verity hash tree is made of: the superblock of veritysetup, or parameters in its place. */
export interface VerityFormat {
  /** 1: the salt comes before the block, digests are padded to a power of two; 0 (Chrome OS): the salt follows, digests are packed. */
  readonly hashType: 0 | 1;
  /** null without a superblock. */
  readonly uuid: string | null;
  /** The kernel's name of the hash: "sha256". */
  readonly algorithm: string;
  /** Bytes. */
  readonly dataBlock: number;
  /** Bytes. */
  readonly hashBlock: number;
  readonly dataBlocks: number;
  readonly salt: Uint8Array;
}

/** The size of struct verity_sb (cryptsetup, lib/verity/verity.c). */
export const SUPERBLOCK_BYTES = 512;
/** The size of its salt, which is the most that the kernel's target gets by cryptsetup. */
export const MOST_SALT_BYTES = 256;
const ALGORITHM_BYTES = 32;
/** VERITY_BLOCK_SIZE_OK; the kernel also refuses more than a page for data. */
const MOST_BLOCK_BYTES = 512 * 1024;
/** As many bytes as JavaScript counts exactly. */
const MOST_BYTES = Number.MAX_SAFE_INTEGER;

/** Returns the superblock at `offset`; null if there is none. Throws BootError if it is malformed. */
export function readVeritySuperblock(source: ByteSource, offset: number): VerityFormat | null {
  const bytes = source.read(offset, SUPERBLOCK_BYTES);
  if (bytes.length < SUPERBLOCK_BYTES || !holds(bytes, 0, "verity\0\0")) return null;
  const version = le32(bytes, 8);
  if (version !== 1) throw malformed(`version ${version} is unknown`);
  const saltBytes = le16(bytes, 80);
  if (saltBytes > MOST_SALT_BYTES) throw malformed(`its salt of ${saltBytes} bytes is too long`);
  const dataBlocks = le64(bytes, 72);
  if (dataBlocks > BigInt(MOST_BYTES)) throw malformed("it has too many data blocks");
  return checkFormat({
    hashType: le32(bytes, 12) as 0 | 1,
    uuid: isEmpty(bytes.subarray(16, 32)) ? null : formatUuid(bytes.subarray(16, 32)),
    algorithm: readAlgorithm(bytes.subarray(32, 32 + ALGORITHM_BYTES)),
    dataBlock: le32(bytes, 64),
    hashBlock: le32(bytes, 68),
    dataBlocks: Number(dataBlocks),
    salt: bytes.slice(88, 88 + saltBytes),
  });
}

/** Returns the format if the kernel could use it. Throws BootError. */
export function checkFormat(format: VerityFormat): VerityFormat {
  const { hashType, dataBlock, hashBlock, dataBlocks } = format;
  if (hashType !== 0 && hashType !== 1) throw malformed(`hash type ${hashType} is unknown`);
  for (const bytes of [dataBlock, hashBlock]) {
    const isBlock = isPowerOfTwo(bytes) && bytes >= 512 && bytes <= MOST_BLOCK_BYTES;
    if (!isBlock) throw malformed(`blocks of ${bytes} bytes are not possible`);
  }
  if (dataBlocks === 0 || dataBlocks * dataBlock > MOST_BYTES)
    throw malformed(`${dataBlocks} data blocks are not possible`);
  return format;
}

/** Formats a superblock as veritysetup writes it. */
export function writeVeritySuperblock(format: VerityFormat): Uint8Array {
  const { hashType, uuid, algorithm, dataBlock, hashBlock, dataBlocks, salt } = format;
  const bytes = new Uint8Array(SUPERBLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("verity"));
  view.setUint32(8, 1, true);
  view.setUint32(12, hashType, true);
  if (uuid !== null) bytes.set(Uint8Array.fromHex(uuid.replaceAll("-", "")), 16);
  bytes.set(new TextEncoder().encode(algorithm), 32);
  view.setUint32(64, dataBlock, true);
  view.setUint32(68, hashBlock, true);
  view.setBigUint64(72, BigInt(dataBlocks), true);
  view.setUint16(80, salt.length, true);
  bytes.set(salt, 88);
  return bytes;
}

/** The name becomes a word of a table of the device mapper. */
function readAlgorithm(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const name = String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
  if (!isAlgorithm(name)) throw malformed(`its hash has no valid name: ${printable(name)}`);
  return name;
}

/** True for a name that a hash of the kernel may have. */
export function isAlgorithm(name: string): boolean {
  return /^[a-z0-9][a-z0-9()_-]{0,30}$/i.test(name);
}

function malformed(why: string): BootError {
  return new BootError(`the verity superblock is malformed: ${why}`);
}

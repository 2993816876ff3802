import { holds, le16, le64 } from "../bytes.ts";
import { crc64 } from "../checksums.ts";
import type { ByteSource } from "../facts.ts";
import { at, blockSize, header, label, other, uuid, version } from "../layout.ts";

// struct cache_sb of drivers/md/bcache/bcache_ondisk.h, with room for 256 journal buckets.
const SUPERBLOCK = 4096;
const SUPERBLOCK_BYTES = 2258;
const BUCKETS_AT = 208;
const MAX_BUCKETS = 256;

/** Magic of bcache, and of the first versions of bcachefs. */
export const BCACHE_MAGIC = "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";

/** The checksum covers the journal buckets that are in use. */
function isBcache(sb: Uint8Array): boolean {
  const buckets = le16(sb, 206);
  const isHere = le64(sb, 8) === BigInt(SUPERBLOCK / 512) && buckets <= MAX_BUCKETS;
  return isHere && crc64(sb.subarray(8, BUCKETS_AT + buckets * 8)) === le64(sb, 0);
}

/** bcache: a backing device, a cache device or a journal device. */
export const bcache = other(
  "bcache",
  at(SUPERBLOCK + 24, BCACHE_MAGIC),
  header(SUPERBLOCK, SUPERBLOCK_BYTES, isBcache),
  [version((sb) => String(le64(sb, 16))), uuid(40), label(72, 32), blockSize((sb) => le16(sb, 192) * 512)],
  { minSize: 8192 },
);

/** What the superblock of a device of bcache says. */
export interface BcacheDevice {
  readonly role: "backing" | "cache";
  /** The UUID of the cache set: of a cache its own, of a backing device the one that it was attached to last. */
  readonly set: string;
  /** Of a backing device: whether it has, or had, a cache, and whether that holds data that are nowhere else ("dirty"). "stale": it was written to without its cache. */
  readonly state: "none" | "clean" | "dirty" | "stale";
}

const BACKING_VERSIONS = [1n, 4n, 6n];
const STATES = ["none", "clean", "dirty", "stale"] as const;

/** Reads SB_IS_BDEV, set_uuid and BDEV_STATE of a superblock with a right checksum; null if there is none. */
export function readBcacheDevice(source: ByteSource): BcacheDevice | null {
  const sb = source.read(SUPERBLOCK, SUPERBLOCK_BYTES);
  if (sb.length < SUPERBLOCK_BYTES || !holds(sb, 24, BCACHE_MAGIC) || !isBcache(sb)) return null;
  const isBacking = BACKING_VERSIONS.includes(le64(sb, 16));
  const hex = sb.subarray(56, 72).toHex();
  const set = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const state = STATES[Number((le64(sb, 104) >> 61n) & 3n)] ?? "none";
  return { role: isBacking ? "backing" : "cache", set, state: isBacking ? state : "none" };
}

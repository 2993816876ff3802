import { le16, le64 } from "../bytes.ts";
import { crc64 } from "../checksums.ts";
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

import { le16, le32, le64 } from "../bytes.ts";
import { crc32c } from "../checksum.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addUuid, addVersion } from "../tags.ts";

const SUPERBLOCK = 4096;
const SUPERBLOCK_SECTOR = 8n;
const BCACHE_MAGIC = "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";
const BCACHEFS_MAGIC = "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
// struct bch_sb without its fields; these follow, in all at most 4 KiB.
const BCACHEFS_BYTES = 752;
const MAX_BYTES = 4096;

/** A backing or cache device of bcache (drivers/md/bcache/bcache_ondisk.h). */
export const bcache: Signature = {
  type: "bcache",
  usage: "other",
  minSize: 8192,
  magics: [{ text: BCACHE_MAGIC, at: SUPERBLOCK + 24 }],
  read(area, tags) {
    const sb = area.bytes(SUPERBLOCK, 56);
    if (sb === null || le64(sb, 8) !== SUPERBLOCK_SECTOR) {
      return false;
    }
    addUuid(tags, sb.subarray(40, 56));
    return true;
  },
};

function isChecksumRight(sb: Uint8Array): boolean {
  const kind = (sb[144] ?? 0) >> 2;
  if (kind === 1) {
    return crc32c(sb.subarray(16)) === le32(sb, 0);
  }
  // 7 is XXH64; 0 none; of CRC-64 (2) and unknown ones nothing is said.
  return kind !== 7 || BigInt(Bun.hash.xxHash64(sb.subarray(16))) === le64(sb, 0);
}

/** bcachefs (struct bch_sb of fs/bcachefs/bcachefs_format.h), with the tags of libblkid 2.39; 2.38 does not know it. */
export const bcachefs: Signature = {
  type: "bcachefs",
  usage: "filesystem",
  minSize: 128 * 1024,
  magics: [BCACHE_MAGIC, BCACHEFS_MAGIC].map((text) => ({ text, at: SUPERBLOCK + 24 })),
  read(area, tags) {
    const head = area.bytes(SUPERBLOCK, BCACHEFS_BYTES);
    const size = head === null ? 0 : BCACHEFS_BYTES + le32(head, 124) * 8;
    const sb = size <= MAX_BYTES ? area.bytes(SUPERBLOCK, size) : null;
    const [index = 0, count = 0] = sb?.subarray(122, 124) ?? [];
    if (sb === null || le64(sb, 104) !== SUPERBLOCK_SECTOR || index >= count || !isChecksumRight(sb)) {
      return false;
    }
    addUuid(tags, sb.subarray(56, 72));
    addLabel(tags, sb.subarray(72, 104));
    addVersion(tags, String(le16(sb, 16)));
    addBlockSize(tags, le16(sb, 120) * 512);
    const member = findMemberUuid(sb, index, count);
    if (member !== null) {
      addUuid(tags, member, "UUID_SUB");
    }
    return true;
  },
};

/** The UUID of this device in the list of members (field 1, 56 bytes a device); null where there is no such list. */
function findMemberUuid(sb: Uint8Array, index: number, count: number): Uint8Array | null {
  for (let at = BCACHEFS_BYTES; at + 8 <= sb.length; ) {
    const size = le32(sb, at) * 8;
    const kind = le32(sb, at + 4);
    if (size < 8 || at + size > sb.length || kind === 0) {
      return null;
    }
    if (kind === 1 && size === 8 + count * 56) {
      return sb.subarray(at + 8 + index * 56, at + 24 + index * 56);
    }
    at += size;
  }
  return null;
}

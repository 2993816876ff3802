import type { Area } from "../area.ts";
import { crc32c, le16, le32, le64 } from "../bytes.ts";
import { at, blockSize, type Field, filesystem, label, uuid, version } from "../layout.ts";
import { addUuid } from "../tags.ts";

/** Magic of bcache, and of the first versions of bcachefs. */
export const BCACHE_MAGIC = "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";
const BCACHEFS_MAGIC = "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
const SUPERBLOCK = 4096;
// struct bch_sb without its fields, which follow; 4 KiB in total at most.
const HEAD_BYTES = 752;
const MAX_BYTES = 4096;

function isChecksumRight(sb: Uint8Array): boolean {
  const kind = (sb[144] ?? 0) >> 2;
  if (kind === 1) return crc32c(sb.subarray(16)) === le32(sb, 0);
  // 7 is XXH64, 0 none; CRC-64 (2) and unknown ones are not checked.
  return kind !== 7 || BigInt(Bun.hash.xxHash64(sb.subarray(16))) === le64(sb, 0);
}

function findSuperblock(area: Area): Uint8Array | null {
  const head = area.bytes(SUPERBLOCK, HEAD_BYTES);
  const size = head === null ? 0 : HEAD_BYTES + le32(head, 124) * 8;
  const sb = size <= MAX_BYTES ? area.bytes(SUPERBLOCK, size) : null;
  const [index = 0, count = 0] = sb?.subarray(122, 124) ?? [];
  return sb !== null && le64(sb, 104) === 8n && index < count && isChecksumRight(sb) ? sb : null;
}

/** UUID_SUB of this device, from the list of members (field 1, 56 bytes a device). */
const memberUuid: Field = (tags, sb) => {
  const [index = 0, count = 0] = sb.subarray(122, 124);
  for (let offset = HEAD_BYTES; offset + 8 <= sb.length; ) {
    const size = le32(sb, offset) * 8;
    const kind = le32(sb, offset + 4);
    if (size < 8 || offset + size > sb.length || kind === 0) return;
    if (kind === 1 && size === 8 + count * 56) {
      const start = offset + 8 + index * 56;
      addUuid(tags, sb.subarray(start, start + 16), "UUID_SUB");
      return;
    }
    offset += size;
  }
};

/** bcachefs (struct bch_sb of fs/bcachefs/bcachefs_format.h), with the tags of libblkid 2.39; 2.38 does not know it. */
export const bcachefs = filesystem(
  "bcachefs",
  at(SUPERBLOCK + 24, BCACHE_MAGIC, BCACHEFS_MAGIC),
  findSuperblock,
  [uuid(56), label(72, 32), version((sb) => le16(sb, 16)), blockSize((sb) => le16(sb, 120) * 512), memberUuid],
  { minSize: 128 * 1024 },
);

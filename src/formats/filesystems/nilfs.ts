import type { Area } from "../area.ts";
import { le16, le32, le64 } from "../bytes.ts";
import { blanked, rawCrc32 } from "../checksums.ts";
import { blockLog, filesystem, label, uuid, version, when } from "../layout.ts";

// struct nilfs_super_block of linux/nilfs2_ondisk.h: one at 1 KiB, one in the last 4 KiB.
const SUPERBLOCK_BYTES = 1024;
const MAGIC = 0x3434;
const SUM_AT = 16;

function isValid(sb: Uint8Array): boolean {
  const length = le16(sb, 8);
  if (le16(sb, 6) !== MAGIC || length < SUM_AT + 4 || length > SUPERBLOCK_BYTES) return false;
  return rawCrc32(blanked(sb.subarray(0, length), SUM_AT, 4), le32(sb, 12)) === le32(sb, SUM_AT);
}

/** Finds the valid copy that libblkid uses: of two, the second if the first has the higher checkpoint. */
function findSuperblock(area: Area): Uint8Array | null {
  const first = area.bytes(1024, SUPERBLOCK_BYTES);
  const second = area.bytes((Math.floor(area.size / 512) - 8) * 512, SUPERBLOCK_BYTES);
  const isFirst = first !== null && isValid(first);
  // A disk ends like its last partition: the size says to which of them the copy belongs.
  const isOwn = second !== null && (area.kind !== "disk" || le64(second, 32) === BigInt(area.size));
  const isSecond = isOwn && isValid(second);
  if (isSecond && (!isFirst || le64(first, 56) > le64(second, 56))) return second;
  return isFirst ? first : null;
}

/** NILFS2. */
export const nilfs2 = filesystem(
  "nilfs2",
  [],
  findSuperblock,
  [
    label(168, 80),
    uuid(152),
    version((sb) => le32(sb, 0)),
    when(
      (sb) => le32(sb, 20) <= 6,
      blockLog((sb) => le32(sb, 20), 1024),
    ),
  ],
  { minSize: 1024 * 1024 },
);

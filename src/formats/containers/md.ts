import type { Area } from "../area.ts";
import { be32, le32, le64, sumWords } from "../bytes.ts";
import { isCovered } from "../partitions/partition-table.ts";
import type { Signature } from "../signature.ts";
import { addLabel, addUuid, addVersion, type Tags } from "../tags.ts";

// Specs: mdp_superblock_s and mdp_superblock_1 of linux/raid/md_p.h.
const MAGIC = 0xa92b4efc;
// struct mdp_superblock_1: sb_csum, max_dev, and two bytes for each device after the fixed part.
const [SUM_AT, MAX_DEVICES_AT, SUPERBLOCK1_BYTES] = [216, 220, 256];
const RESERVED_BYTES = 64 * 1024;
const alignDown = (value: number, unit: number) => value - (value % unit);

/** Version 0.90, in the byte order of the machine that made it; the four words of the UUID are printed big-endian. */
function readVersion0(area: Area, tags: Tags): boolean {
  const offset = alignDown(area.size, RESERVED_BYTES) - RESERVED_BYTES;
  const sb = area.bytes(offset, 64);
  if (sb === null) return false;
  const isLittle = le32(sb, 0) === MAGIC;
  const read32 = isLittle ? le32 : be32;
  const sizeBytes = read32(sb, 32) * 1024;
  const fits = area.size >= sizeBytes + RESERVED_BYTES && offset >= sizeBytes;
  if (read32(sb, 0) !== MAGIC || !fits) return false;
  // The end of a disk may be the end of its last partition: the array is in that partition then.
  if (area.kind !== "partition" && isCovered(area, offset - sizeBytes, sizeBytes + RESERVED_BYTES)) return false;
  const minor = read32(sb, 8);
  addVersion(tags, `${read32(sb, 4)}.${minor}.${read32(sb, 12)}`);
  const words = minor >= 90 ? [20, 52, 56, 60] : [20];
  const uuid = new Uint8Array(16);
  for (const [i, at] of words.entries()) new DataView(uuid.buffer).setUint32(i * 4, read32(sb, at));
  addUuid(tags, uuid);
  return true;
}

/** Compares the sum of the superblock's words, with the roles of its devices (calc_sb_1_csum of drivers/md/md.c); roles that cannot be read are not checked, as in libblkid. */
function hasRightSum(area: Area, offset: number, sb: Uint8Array): boolean {
  const bytes = area.bytes(offset, SUPERBLOCK1_BYTES + le32(sb, MAX_DEVICES_AT) * 2);
  if (bytes === null) return true;
  const sum = sumWords(bytes, 4, le32) - le32(sb, SUM_AT);
  return Math.floor(sum / 2 ** 32) + (sum % 2 ** 32) === le32(sb, SUM_AT);
}

function readVersion1(area: Area, offset: number, version: string, tags: Tags): boolean {
  const sb = area.bytes(offset, SUPERBLOCK1_BYTES);
  if (sb === null || le32(sb, 0) !== MAGIC || le32(sb, 4) !== 1 || le64(sb, 144) !== BigInt(offset) / 512n) {
    return false;
  }
  if (!hasRightSum(area, offset, sb)) return false;
  addUuid(tags, sb.subarray(16, 32));
  addUuid(tags, sb.subarray(168, 184), "UUID_SUB");
  addLabel(tags, sb.subarray(32, 64));
  addVersion(tags, version);
  return true;
}

/** A member of a Linux software RAID: the superblock is at the end (0.90, 1.0), at the start (1.1) or at 4 KiB (1.2). */
export const md: Signature = {
  type: "linux_raid_member",
  usage: "raid",
  magics: [],
  read: (area, tags) =>
    (area.size > RESERVED_BYTES &&
      (readVersion0(area, tags) || readVersion1(area, alignDown(area.size, 4096) - 8192, "1.0", tags))) ||
    readVersion1(area, 0, "1.1", tags) ||
    readVersion1(area, 4096, "1.2", tags),
};

import { holds, le16, le32, le64 } from "../bytes.ts";
import { crc32c } from "../checksums.ts";
import type { ByteSource } from "../facts.ts";
import { at, blockSize, filesystem, header, label, uuid } from "../layout.ts";

// struct btrfs_super_block of linux/btrfs_tree.h. The device item lies at 0xc9: its UUID after 66 bytes of it; the label follows it.
const SUPERBLOCK = 64 * 1024;
const SUPERBLOCK_BYTES = 4096;
const SUM_BYTES = 32;
const MAGIC_AT = 0x40;
const MAGIC = "_BHRfS_M";

/** The checksums that libblkid knows; others, as BLAKE2, are not checked. */
function isChecksumRight(sb: Uint8Array): boolean {
  const summed = sb.subarray(SUM_BYTES);
  const kind = le16(sb, 0xc4);
  if (kind === 0) return crc32c(summed) === le32(sb, 0);
  if (kind === 1) return BigInt(Bun.hash.xxHash64(summed)) === le64(sb, 0);
  if (kind !== 2) return true;
  return new Bun.CryptoHasher("sha256").update(summed).digest("hex") === sb.subarray(0, SUM_BYTES).toHex();
}

/** btrfs. */
export const btrfs = filesystem(
  "btrfs",
  at(SUPERBLOCK + MAGIC_AT, MAGIC),
  header(SUPERBLOCK, SUPERBLOCK_BYTES, (sb) => le32(sb, 0x90) !== 0 && isChecksumRight(sb)),
  [label(0x12b, 256), uuid(0x20), uuid(0x10b, "UUID_SUB"), blockSize((sb) => le32(sb, 0x90))],
  { minSize: 1024 * 1024 },
);

/** A device of a btrfs filesystem: how many devices that has, the number of this one, and its generation, which each commit raises on every device. */
export type BtrfsMember = Readonly<{ deviceCount: number; deviceId: bigint; generation: bigint }>;

/** Reads num_devices, dev_item.devid and generation; null if it is not btrfs. */
export function readBtrfsMember(source: ByteSource): BtrfsMember | null {
  const sb = source.read(SUPERBLOCK, SUPERBLOCK_BYTES);
  if (sb.length < SUPERBLOCK_BYTES || !holds(sb, MAGIC_AT, MAGIC)) return null;
  return { deviceCount: Number(le64(sb, 0x88)), deviceId: le64(sb, 0xc9), generation: le64(sb, 0x48) };
}

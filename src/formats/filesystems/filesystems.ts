import type { Area } from "../area.ts";
import { be16, be32, formatVmfsUuid, isEmpty, le16, le32, le64 } from "../bytes.ts";
import { blanked, crc32c, rawCrc32 } from "../checksums.ts";
import { at, blockLog, blockSize, filesystem, fromMagic, header, label, tag, uuid, version, when } from "../layout.ts";
import type { Magic, Signature } from "../signature.ts";
import { addLabel } from "../tags.ts";
import { toUtf8 } from "../text.ts";
import { btrfs } from "./btrfs.ts";
import { CLUSTER } from "./cluster.ts";
import { exfat } from "./dos/exfat.ts";
import { vfat } from "./dos/fat.ts";
import { ntfs } from "./dos/ntfs.ts";
import { EXT } from "./ext.ts";
import { befs } from "./historic/befs.ts";
import { HFS } from "./historic/hfs.ts";
import { minix } from "./historic/minix.ts";
import { REISERFS } from "./historic/reiserfs.ts";
import { UNIX } from "./historic/unix.ts";
import { nilfs2 } from "./nilfs.ts";
import { iso9660 } from "./optical/iso9660.ts";
import { udf } from "./optical/udf.ts";
import { erofs, ROM } from "./rom.ts";
import { SCOUTFS } from "./scoutfs.ts";
import { SWAP } from "./swap.ts";
import { XFS } from "./xfs.ts";
import { zfs } from "./zfs.ts";

const KIB = 1024;
const MIB = 1024 * 1024;

const twoNumbers = (bytes: Uint8Array, major: number, read16 = le16) =>
  `${read16(bytes, major)}.${read16(bytes, major + 2)}`;

/** Block sizes and their logarithms agree (fs/jfs/jfs_superblock.h). */
function isJfs(sb: Uint8Array): boolean {
  const [blockLog, factorLog, sectorLog] = [le16(sb, 20), le16(sb, 22), le16(sb, 28)];
  if (blockLog > 31 || sectorLog > 31) return false;
  return le32(sb, 16) === 2 ** blockLog && le32(sb, 24) === 2 ** sectorLog && blockLog - sectorLog === factorLog;
}

/** Fletcher's checksum of 64 bits over all that follows it. */
function fletcher64(bytes: Uint8Array): bigint {
  const most = 0xffffffff;
  let [low, high] = [0, 0];
  for (let at = 0; at < bytes.length; at += 4) {
    low += le32(bytes, at);
    high += low;
  }
  const first = ~((low + high) % most) >>> 0;
  const second = ~((low + first) % most) >>> 0;
  return (BigInt(second) << 32n) | BigInt(first);
}

/** A container's superblock (Apple File System Reference, nx_superblock_t). */
function isApfs(sb: Uint8Array): boolean {
  if (fletcher64(sb.subarray(8)) !== le64(sb, 0)) return false;
  return le16(sb, 24) === 1 && le16(sb, 28) === 0 && le16(sb, 30) === 0 && le32(sb, 36) === 4096;
}

/** Finds the superblock; from version 1.1 on the checksum must be right if it has one. */
function findF2fs(area: Area): Uint8Array | null {
  const sb = area.bytes(KIB, 1148);
  const sumAt = sb === null ? 0 : le32(sb, 32);
  if (sb === null || sumAt === 0 || twoNumbers(sb, 4) === "1.0") return sb;
  if (sumAt % 4 !== 0 || sumAt + 4 > 4 * KIB) return null;
  const summed = area.bytes(KIB, sumAt + 4);
  return summed !== null && rawCrc32(summed.subarray(0, sumAt), 0xf2f52010) === le32(summed, sumAt) ? sb : null;
}

const squashfs3Order = (_sb: Uint8Array, { text }: Magic) => (text === "sqsh" ? be16 : le16);
const vxfsOrder = (_sb: Uint8Array, magic: Magic) => (magic.at === KIB ? le32 : be32);

/** Filesystems and swap space. */
export const FILESYSTEMS: readonly Signature[] = [
  vfat,
  ...SWAP,
  ...XFS,
  ...EXT,
  ...REISERFS,
  filesystem(
    "jfs",
    at(32 * KIB, "JFS1"),
    header(32 * KIB, 184, isJfs),
    [label(152, 16), uuid(136), blockSize((sb) => le32(sb, 16))],
    { minSize: 16 * MIB },
  ),
  udf,
  iso9660,
  zfs,
  ...HFS,
  ...UNIX,
  ntfs,
  filesystem("ReFS", at(0, "\0\0\0ReFS\0")),
  ...ROM,
  ...SCOUTFS,
  minix,
  ...CLUSTER,
  // Veritas, of either byte order.
  filesystem("vxfs", [...at(KIB, "\xf5\xfc\x01\xa5"), ...at(8 * KIB, "\xa5\x01\xfc\xf5")], fromMagic(44), [
    version((sb, magic) => vxfsOrder(sb, magic)(sb, 4) | 0),
    blockSize((sb, magic) => vxfsOrder(sb, magic)(sb, 32)),
  ]),
  // fs/squashfs/squashfs_fs.h.
  filesystem(
    "squashfs",
    at(0, "hsqs"),
    header(0, 32, (sb) => le16(sb, 28) >= 4),
    [version((sb) => twoNumbers(sb, 28)), blockSize((sb) => le32(sb, 12))],
  ),
  // 1 to 3, of either byte order.
  filesystem(
    "squashfs3",
    at(0, "sqsh", "hsqs"),
    header(0, 32, (sb, magic) => squashfs3Order(sb, magic)(sb, 28) <= 3),
    [version((sb, magic) => twoNumbers(sb, 28, squashfs3Order(sb, magic))), blockSize(1024)],
  ),
  // Novell's.
  filesystem("nss", at(4 * KIB, "SPB5"), header(4 * KIB, 636), [
    uuid(348),
    version((sb) => `${le16(sb, 8)}.${String(le16(sb, 10)).padStart(2, "0")}`),
  ]),
  btrfs,
  // fs/ubifs/ubifs-media.h: the superblock's node.
  filesystem(
    "ubifs",
    at(0, "\x31\x18\x10\x06"),
    header(0, 4 * KIB, (node) => rawCrc32(node.subarray(8), 0xffffffff) === le32(node, 4)),
    [uuid(108), version((node) => `w${le32(node, 80) | 0}r${le32(node, 124) | 0}`)],
  ),
  // SCO's boot filesystem.
  filesystem("bfs", at(0, "\xce\xfa\xad\x1b")),
  filesystem("VMFS", at(2 * MIB, "\x5e\xf1\xab\x2f"), header(2 * MIB, 157), [
    tag("UUID", (bytes) => (isEmpty(bytes.subarray(9, 25)) ? null : formatVmfsUuid(bytes.subarray(9, 25)))),
    label(29, 128),
    version((bytes) => bytes[8] ?? 0),
  ]),
  befs,
  nilfs2,
  exfat,
  // linux/f2fs_fs.h; version 1.0 has its fields in other places.
  filesystem("f2fs", at(KIB, "\x10\x20\xf5\xf2"), findF2fs, [
    when(
      (sb) => twoNumbers(sb, 4) !== "1.0",
      when(
        (sb) => sb[124] !== 0,
        (tags, sb) => addLabel(tags, toUtf8(sb.subarray(124), "utf-16le")),
      ),
      uuid(108),
      version((sb) => twoNumbers(sb, 4)),
      when(
        (sb) => le32(sb, 16) <= 16,
        blockLog((sb) => le32(sb, 16)),
      ),
    ),
  ]),
  // Micron's object store.
  filesystem(
    "mpool",
    at(0, "mpoolDev"),
    header(0, 66, (sb) => crc32c(sb.subarray(0, 62)) === le32(sb, 62)),
    [label(8, 32), uuid(40)],
  ),
  filesystem("apfs", at(32, "NXSB"), header(0, 4096, isApfs), [uuid(72), blockSize(4096)]),
  // fs/zonefs/zonefs.h.
  filesystem(
    "zonefs",
    at(0, "SFOZ"),
    header(0, 4 * KIB, (sb) => rawCrc32(blanked(sb, 4, 4), 0xffffffff) === le32(sb, 4)),
    [label(8, 32), uuid(40), blockSize(4096)],
  ),
  erofs,
];

// Node types of linux/jffs2.h: clean marker, inode, directory entry, padding, summary, xattr, xref.
const JFFS2_NODES = [0x2003, 0xe002, 0xe001, 0x2004, 0x2006, 0xe008, 0xe009];

function isJffs2(node: Uint8Array, { text }: Magic): boolean {
  const [read16, read32] = text === "\x85\x19" ? [le16, le32] : [be16, be32];
  return JFFS2_NODES.includes(read16(node, 2)) && rawCrc32(node.subarray(0, 8), 0) === read32(node, 8);
}

/** JFFS2, which libblkid does not know: it has no superblock, so the header and checksum of the first node must be valid. */
export const jffs2 = filesystem("jffs2", at(0, "\x85\x19", "\x19\x85"), header(0, 12, isJffs2));

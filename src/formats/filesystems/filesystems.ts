import { be16, be32, crc32c, formatVmfsUuid, isEmpty, le16, le32, rawCrc32 } from "../bytes.ts";
import { at, blockLog, blockSize, filesystem, fromMagic, header, label, tag, uuid, version, when } from "../layout.ts";
import type { Magic, Signature } from "../signature.ts";
import { addLabel } from "../tags.ts";
import { toUtf8 } from "../text.ts";
import { CLUSTER } from "./cluster.ts";
import { exfat } from "./dos/exfat.ts";
import { vfat } from "./dos/fat.ts";
import { ntfs } from "./dos/ntfs.ts";
import { EXT } from "./ext.ts";
import { HFS } from "./historic/hfs.ts";
import { minix } from "./historic/minix.ts";
import { REISERFS } from "./historic/reiserfs.ts";
import { UNIX } from "./historic/unix.ts";
import { nilfs2 } from "./nilfs.ts";
import { iso9660 } from "./optical/iso9660.ts";
import { udf } from "./optical/udf.ts";
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
  return le32(sb, 16) === 2 ** blockLog && le32(sb, 24) === 2 ** sectorLog && blockLog - sectorLog === factorLog;
}

/** A container's superblock (Apple File System Reference, nx_superblock_t). */
function isApfs(sb: Uint8Array): boolean {
  return le16(sb, 24) === 1 && le16(sb, 28) === 0 && le16(sb, 30) === 0 && le32(sb, 36) === 4096;
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
  // linux/cramfs_fs.h, of either byte order.
  filesystem("cramfs", at(0, "\x45\x3d\xcd\x28", "\x28\xcd\x3d\x45"), header(0, 64), [label(48, 16)]),
  // linux/romfs_fs.h.
  filesystem("romfs", at(0, "-rom1fs-"), header(0, 32), [label(16, 16), blockSize(1024)]),
  minix,
  ...CLUSTER,
  // Veritas, of either byte order.
  filesystem("vxfs", [...at(KIB, "\xf5\xfc\x01\xa5"), ...at(8 * KIB, "\xa5\x01\xfc\xf5")], fromMagic(44), [
    version((sb, magic) => vxfsOrder(sb, magic)(sb, 4)),
    blockSize((sb, magic) => vxfsOrder(sb, magic)(sb, 32)),
  ]),
  // fs/squashfs/squashfs_fs.h.
  filesystem(
    "squashfs",
    at(0, "hsqs"),
    header(0, 32, (sb) => le16(sb, 28) >= 4),
    [version((sb) => twoNumbers(sb, 28))],
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
  // struct btrfs_super_block of linux/btrfs_tree.h. The device item lies at 0xc9: its UUID after 66 bytes of it; the label follows it.
  filesystem(
    "btrfs",
    at(64 * KIB + 0x40, "_BHRfS_M"),
    header(64 * KIB, 0x22b),
    [label(0x12b, 256), uuid(0x20), uuid(0x10b, "UUID_SUB"), blockSize((sb) => le32(sb, 0x90))],
    { minSize: MIB },
  ),
  // fs/ubifs/ubifs-media.h: the superblock's node.
  filesystem("ubifs", at(0, "\x31\x18\x10\x06"), header(0, 4 * KIB), [
    uuid(108),
    version((node) => `w${le32(node, 80) | 0}r${le32(node, 124) | 0}`),
  ]),
  // SCO's boot filesystem.
  filesystem("bfs", at(0, "\xce\xfa\xad\x1b")),
  filesystem("VMFS", at(2 * MIB, "\x5e\xf1\xab\x2f"), header(2 * MIB, 157), [
    tag("UUID", (bytes) => (isEmpty(bytes.subarray(9, 25)) ? null : formatVmfsUuid(bytes.subarray(9, 25)))),
    label(29, 128),
    version((bytes) => bytes[8] ?? 0),
  ]),
  nilfs2,
  exfat,
  // linux/f2fs_fs.h; version 1.0 has its fields in other places.
  filesystem("f2fs", at(KIB, "\x10\x20\xf5\xf2"), header(KIB, 1148), [
    when(
      (sb) => twoNumbers(sb, 4) !== "1.0",
      when(
        (sb) => sb[124] !== 0,
        (tags, sb) => addLabel(tags, toUtf8(sb.subarray(124), "utf-16le")),
      ),
      uuid(108),
      version((sb) => twoNumbers(sb, 4)),
      blockLog((sb) => le32(sb, 16)),
    ),
  ]),
  // Micron's object store.
  filesystem(
    "mpool",
    at(0, "mpoolDev"),
    header(0, 66, (sb) => crc32c(sb.subarray(0, 62)) === le32(sb, 62)),
    [label(8, 32), uuid(40)],
  ),
  filesystem("apfs", at(32, "NXSB"), header(0, 88, isApfs), [uuid(72), blockSize(4096)]),
  // fs/zonefs/zonefs.h.
  filesystem("zonefs", at(0, "SFOZ"), header(0, 76), [label(8, 32), uuid(40), blockSize(4096)]),
  // fs/erofs/erofs_fs.h.
  filesystem("erofs", at(KIB, "\xe2\xe1\xf5\xe0"), header(KIB, 128), [
    label(64, 16),
    uuid(48),
    blockLog((sb) => sb[12] ?? 32),
  ]),
];

// Node types of linux/jffs2.h: clean marker, inode, directory entry, padding, summary, xattr, xref.
const JFFS2_NODES = [0x2003, 0xe002, 0xe001, 0x2004, 0x2006, 0xe008, 0xe009];

function isJffs2(node: Uint8Array, { text }: Magic): boolean {
  const [read16, read32] = text === "\x85\x19" ? [le16, le32] : [be16, be32];
  return JFFS2_NODES.includes(read16(node, 2)) && rawCrc32(node.subarray(0, 8), 0) === read32(node, 8);
}

/** JFFS2, which libblkid does not know: it has no superblock, so the header and checksum of the first node must be valid. */
export const jffs2 = filesystem("jffs2", at(0, "\x85\x19", "\x19\x85"), header(0, 12, isJffs2));

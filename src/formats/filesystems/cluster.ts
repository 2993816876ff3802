import { be32, isWithin, le16, le32 } from "../bytes.ts";
import { at, blockLog, blockSize, filesystem, fromMagic, header, label, tag, uuid, version, when } from "../layout.ts";
import { addLabel } from "../tags.ts";

// struct gfs2_sb of linux/gfs2_ondisk.h.
const GFS_SUPERBLOCK = 64 * 1024;
const GFS_MAGICS = at(GFS_SUPERBLOCK, "\x01\x16\x19\x70");
const GFS_SIZE = { minSize: 32 * 1024 * 1024 };
const isGfs = (sb: Uint8Array) => be32(sb, 24) === 1309 && be32(sb, 28) === 1401;
const isGfs2 = (sb: Uint8Array) => isWithin(be32(sb, 24), 1800, 1899) && isWithin(be32(sb, 28), 1900, 1999);

const OCFS_SIZE = { minSize: 14000 * 1024 };
const ocfsMajor = (bytes: Uint8Array) => le32(bytes, 4);

function ocfsSecondType(bytes: Uint8Array): string | null {
  if (ocfsMajor(bytes) === 1) return "ocfs1";
  return ocfsMajor(bytes) >= 9 ? "ntocfs" : null;
}

/** Filesystems that several machines share. */
export const CLUSTER = [
  filesystem("gfs", GFS_MAGICS, header(GFS_SUPERBLOCK, 272, isGfs), [label(160, 64), uuid(256)], GFS_SIZE),
  filesystem(
    "gfs2",
    GFS_MAGICS,
    header(GFS_SUPERBLOCK, 272, isGfs2),
    [label(160, 64), uuid(256), version("1"), blockSize((sb) => be32(sb, 36))],
    GFS_SIZE,
  ),
  // Oracle's first one; the second block has the label.
  filesystem(
    "ocfs",
    at(8192, "OracleCFS"),
    header(8192, 644),
    [
      tag("SEC_TYPE", ocfsSecondType),
      when(
        (bytes) => le16(bytes, 624) < 64,
        (tags, bytes) => addLabel(tags, bytes.subarray(560, 560 + le16(bytes, 624))),
      ),
      tag("MOUNT", (bytes) => (le16(bytes, 264) < 128 ? bytes.subarray(136, 136 + le16(bytes, 264)) : null)),
      uuid(626),
      version((bytes) => `${ocfsMajor(bytes)}.${le32(bytes, 0)}`),
    ],
    OCFS_SIZE,
  ),
  // struct ocfs2_dinode of fs/ocfs2/ocfs2_fs.h: the superblock is the third block, of any size.
  filesystem(
    "ocfs2",
    [1, 2, 4, 8].flatMap((kib) => at(kib * 1024, "OCFSV2")),
    fromMagic(352),
    [label(272, 64), uuid(336), version((sb) => `${le16(sb, 192)}.${le16(sb, 194)}`), blockLog((sb) => le32(sb, 248))],
    OCFS_SIZE,
  ),
  filesystem("oracleasm", at(32, "ORCLDISK"), header(0, 64), [label(40, 24)]),
];

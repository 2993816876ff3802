import type { Area } from "../area.ts";
import { be32, le16, le32 } from "../bytes.ts";
import type { Magic, Signature } from "../signature.ts";
import { addBlockSize, addLabel, addTag, addUuid, addVersion, type Tags } from "../tags.ts";

// Filesystems of several machines on one disk. struct gfs2_sb of linux/gfs2_ondisk.h, ocfs2_dinode of fs/ocfs2/ocfs2_fs.h.
const GFS_SUPERBLOCK = 64 * 1024;
const GFS_MAGICS: readonly Magic[] = [{ text: "\x01\x16\x19\x70", at: GFS_SUPERBLOCK }];
const GFS_MIN_SIZE = 32 * 1024 * 1024;
const OCFS_MIN_SIZE = 14000 * 1024;
const OCFS_HEADER = 8192;

function readGfs(area: Area, tags: Tags, isFormat: (format: number, multihost: number) => boolean): Uint8Array | null {
  const sb = area.bytes(GFS_SUPERBLOCK, 272);
  if (sb === null || !isFormat(be32(sb, 24), be32(sb, 28))) {
    return null;
  }
  addLabel(tags, sb.subarray(160, 224));
  addUuid(tags, sb.subarray(256, 272));
  return sb;
}

/** GFS. */
export const gfs: Signature = {
  type: "gfs",
  usage: "filesystem",
  minSize: GFS_MIN_SIZE,
  magics: GFS_MAGICS,
  read: (area, tags) => readGfs(area, tags, (format, multihost) => format === 1309 && multihost === 1401) !== null,
};

/** GFS2. */
export const gfs2: Signature = {
  type: "gfs2",
  usage: "filesystem",
  minSize: GFS_MIN_SIZE,
  magics: GFS_MAGICS,
  read(area, tags) {
    const isFormat = (format: number, multihost: number) =>
      format >= 1800 && format < 1900 && multihost >= 1900 && multihost < 2000;
    const sb = readGfs(area, tags, isFormat);
    if (sb === null) {
      return false;
    }
    addVersion(tags, "1");
    addBlockSize(tags, be32(sb, 36));
    return true;
  },
};

/** Oracle's first cluster filesystem. */
export const ocfs: Signature = {
  type: "ocfs",
  usage: "filesystem",
  minSize: OCFS_MIN_SIZE,
  magics: [{ text: "OracleCFS", at: OCFS_HEADER }],
  read(area, tags) {
    const header = area.bytes(OCFS_HEADER, 266);
    const label = area.bytes(OCFS_HEADER + 512, 132);
    if (header === null || label === null) {
      return false;
    }
    const major = le32(header, 4);
    if (major === 1 || major >= 9) {
      addTag(tags, "SEC_TYPE", major === 1 ? "ocfs1" : "ntocfs");
    }
    addLabel(tags, label.subarray(48, 48 + Math.min(le16(label, 112), 64)));
    addTag(tags, "MOUNT", header.subarray(136, 136 + Math.min(le16(header, 264), 128)));
    addUuid(tags, label.subarray(114, 130));
    addVersion(tags, `${major}.${le32(header, 0)}`);
    return true;
  },
};

/** OCFS2: the superblock is the third block, of any size. */
export const ocfs2: Signature = {
  type: "ocfs2",
  usage: "filesystem",
  minSize: OCFS_MIN_SIZE,
  magics: [1, 2, 4, 8].map((kib) => ({ text: "OCFSV2", at: kib * 1024 })),
  read(area, tags, magic) {
    const sb = area.bytes(magic?.at ?? 0, 352);
    if (sb === null) {
      return false;
    }
    addLabel(tags, sb.subarray(272, 336));
    addUuid(tags, sb.subarray(336, 352));
    addVersion(tags, `${le16(sb, 192)}.${le16(sb, 194)}`);
    const log = le32(sb, 248);
    if (log < 32) {
      addBlockSize(tags, 2 ** log);
    }
    return true;
  },
};

/** A disk of Oracle's Automatic Storage Management. */
export const oracleAsm: Signature = {
  type: "oracleasm",
  usage: "filesystem",
  magics: [{ text: "ORCLDISK", at: 32 }],
  read(area, tags) {
    const header = area.bytes(0, 64);
    addLabel(tags, header?.subarray(40) ?? new Uint8Array());
    return header !== null;
  },
};

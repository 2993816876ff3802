import { be32, le16, le32 } from "../bytes.ts";
import { rawCrc32 } from "../checksum.ts";
import type { Signature } from "../signature.ts";
import { addTag, addUuid, addVersion } from "../tags.ts";

/** UBI (drivers/mtd/ubi/ubi-media.h): volumes on raw flash. */
export const ubi: Signature = {
  type: "ubi",
  usage: "raid",
  magics: [{ text: "UBI#", at: 0 }],
  read(area, tags) {
    const header = area.bytes(0, 64);
    if (header === null) {
      return false;
    }
    addVersion(tags, String(header[4] ?? 0));
    const sequence = be32(header, 24);
    if (sequence !== 0) {
      addTag(tags, "UUID", String(sequence));
    }
    return true;
  },
};

/** UBIFS (fs/ubifs/ubifs-media.h): the superblock's node. */
export const ubifs: Signature = {
  type: "ubifs",
  usage: "filesystem",
  magics: [{ text: "\x31\x18\x10\x06", at: 0 }],
  read(area, tags) {
    const node = area.bytes(0, 4096);
    if (node === null) {
      return false;
    }
    addUuid(tags, node.subarray(108, 124));
    addVersion(tags, `w${le32(node, 80) | 0}r${le32(node, 124) | 0}`);
    return true;
  },
};

// Node types of linux/jffs2.h: clean marker, inode, directory entry, padding, summary, xattr, xref.
const JFFS2_NODES = [0x2003, 0xe002, 0xe001, 0x2004, 0x2006, 0xe008, 0xe009];

/** JFFS2, which libblkid does not know: it has no superblock, so the first node's header and its checksum must be right. */
export const jffs2: Signature = {
  type: "jffs2",
  usage: "filesystem",
  magics: [
    { text: "\x85\x19", at: 0 },
    { text: "\x19\x85", at: 0 },
  ],
  read(area, _tags, magic) {
    const node = area.bytes(0, 12);
    if (node === null) {
      return false;
    }
    const isLittle = magic?.text === "\x85\x19";
    const kind = isLittle ? le16(node, 2) : ((node[2] ?? 0) << 8) | (node[3] ?? 0);
    const checksum = isLittle ? le32(node, 8) : be32(node, 8);
    return JFFS2_NODES.includes(kind) && rawCrc32(node.subarray(0, 8), 0) === checksum;
  },
};

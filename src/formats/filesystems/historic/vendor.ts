import { le16, le32 } from "../../bytes.ts";
import { crc32c } from "../../checksum.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addUuid, addVersion } from "../../tags.ts";

/** Microsoft's ReFS: nothing but its magic. */
export const refs: Signature = {
  type: "ReFS",
  usage: "filesystem",
  magics: [{ text: "\0\0\0ReFS\0", at: 0 }],
  read: () => true,
};

/** Apple's APFS: a container's superblock (Apple File System Reference, nx_superblock_t). */
export const apfs: Signature = {
  type: "apfs",
  usage: "filesystem",
  magics: [{ text: "NXSB", at: 32 }],
  read(area, tags) {
    const sb = area.bytes(0, 88);
    const isContainer = sb !== null && le16(sb, 24) === 1 && le16(sb, 28) === 0 && le16(sb, 30) === 0;
    if (!isContainer || le32(sb, 36) !== 4096) {
      return false;
    }
    addUuid(tags, sb.subarray(72, 88));
    addBlockSize(tags, 4096);
    return true;
  },
};

/** Novell's NSS. */
export const nss: Signature = {
  type: "nss",
  usage: "filesystem",
  magics: [{ text: "SPB5", at: 4096 }],
  read(area, tags) {
    const sb = area.bytes(4096, 636);
    if (sb === null) {
      return false;
    }
    addUuid(tags, sb.subarray(348, 364));
    addVersion(tags, `${le16(sb, 8)}.${String(le16(sb, 10)).padStart(2, "0")}`);
    return true;
  },
};

/** Ceph's BlueStore. */
export const bluestore: Signature = {
  type: "ceph_bluestore",
  usage: "other",
  magics: [{ text: "bluestore block device", at: 0 }],
  read: () => true,
};

/** mpool, Micron's object store. */
export const mpool: Signature = {
  type: "mpool",
  usage: "filesystem",
  magics: [{ text: "mpoolDev", at: 0 }],
  read(area, tags) {
    const sb = area.bytes(0, 66);
    if (sb === null || crc32c(sb.subarray(0, 62)) !== le32(sb, 62)) {
      return false;
    }
    addLabel(tags, sb.subarray(8, 40));
    addUuid(tags, sb.subarray(40, 56));
    return true;
  },
};

/** zonefs (fs/zonefs/zonefs.h). */
export const zonefs: Signature = {
  type: "zonefs",
  usage: "filesystem",
  magics: [{ text: "SFOZ", at: 0 }],
  read(area, tags) {
    const sb = area.bytes(0, 76);
    if (sb === null) {
      return false;
    }
    addLabel(tags, sb.subarray(8, 40));
    addUuid(tags, sb.subarray(40, 56));
    addBlockSize(tags, 4096);
    return true;
  },
};

import { be32, le32 } from "../../bytes.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addTag, addVersion } from "../../tags.ts";

// struct ufs_super_block (fs/ufs/ufs_fs.h), of either byte order, at one of four places.
const PLACES = [0, 8, 64, 256].map((kib) => kib * 1024);
const SUPERBLOCK_BYTES = 1377;
const MAGIC_AT = 1372;
const UFS2 = 0x19540119;
const MAGICS = [UFS2, 0x00011954, 0x00195612, 0x00095014, 0x00612195, 0x05231994];

function findMagic(bytes: Uint8Array): number | undefined {
  return MAGICS.find((known) => le32(bytes, 0) === known || be32(bytes, 0) === known);
}

/** UFS 1 and 2. */
export const ufs: Signature = {
  type: "ufs",
  usage: "filesystem",
  magics: [],
  read(area, tags) {
    for (const place of PLACES) {
      const end = area.bytes(place + MAGIC_AT, SUPERBLOCK_BYTES - MAGIC_AT);
      if (end === null) {
        return false;
      }
      const magic = findMagic(end);
      if (magic === undefined) {
        continue;
      }
      const sb = area.bytes(place, SUPERBLOCK_BYTES);
      if (sb === null) {
        return false;
      }
      const read32 = be32(sb, MAGIC_AT) === magic ? be32 : le32;
      addVersion(tags, magic === UFS2 ? "2" : "1");
      if (magic === UFS2) {
        addLabel(tags, sb.subarray(680, 712));
      }
      const id = [read32(sb, 144), read32(sb, 148)];
      if (id.some((word) => word !== 0)) {
        addTag(tags, "UUID", id.map((word) => word.toString(16).padStart(8, "0")).join(""));
      }
      addBlockSize(tags, read32(sb, 52));
      return true;
    }
    return false;
  },
};

import { be16, le16 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addVersion } from "../tags.ts";

/** squashfs 4 (fs/squashfs/squashfs_fs.h): little-endian, version at byte 28. */
export const squashfs: Signature = {
  type: "squashfs",
  usage: "filesystem",
  magics: [{ text: "hsqs", at: 0 }],
  read(area, tags) {
    const sb = area.bytes(0, 32);
    if (sb === null || le16(sb, 28) < 4) {
      return false;
    }
    addVersion(tags, `${le16(sb, 28)}.${le16(sb, 30)}`);
    return true;
  },
};

/** squashfs 1 to 3: either byte order. */
export const squashfs3: Signature = {
  type: "squashfs3",
  usage: "filesystem",
  magics: [
    { text: "sqsh", at: 0 },
    { text: "hsqs", at: 0 },
  ],
  read(area, tags, magic) {
    const sb = area.bytes(0, 32);
    const read16 = magic?.text === "sqsh" ? be16 : le16;
    if (sb === null || read16(sb, 28) > 3) {
      return false;
    }
    addVersion(tags, `${read16(sb, 28)}.${read16(sb, 30)}`);
    addBlockSize(tags, 1024);
    return true;
  },
};

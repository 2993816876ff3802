import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addUuid } from "../tags.ts";

/** EROFS (fs/erofs/erofs_fs.h): superblock at 1 KiB. */
export const erofs: Signature = {
  type: "erofs",
  usage: "filesystem",
  magics: [{ text: "\xe2\xe1\xf5\xe0", at: 1024 }],
  read(area, tags) {
    const sb = area.bytes(1024, 128);
    if (sb === null) {
      return false;
    }
    addLabel(tags, sb.subarray(64, 80));
    addUuid(tags, sb.subarray(48, 64));
    const bits = sb[12] ?? 32;
    if (bits < 32) {
      addBlockSize(tags, (1 << bits) >>> 0);
    }
    return true;
  },
};

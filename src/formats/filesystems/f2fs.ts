import { le16, le32 } from "../bytes.ts";
import { toUtf8 } from "../encoding.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addUuid, addVersion } from "../tags.ts";

const SUPERBLOCK = 1024;

/** F2FS (linux/f2fs_fs.h). Of version 1.0 nothing but the type is told: its fields lie elsewhere. */
export const f2fs: Signature = {
  type: "f2fs",
  usage: "filesystem",
  magics: [{ text: "\x10\x20\xf5\xf2", at: SUPERBLOCK }],
  read(area, tags) {
    const sb = area.bytes(SUPERBLOCK, 1148);
    if (sb === null) {
      return false;
    }
    const version = `${le16(sb, 4)}.${le16(sb, 6)}`;
    if (version === "1.0") {
      return true;
    }
    if (sb[124] !== 0) {
      addLabel(tags, toUtf8(sb.subarray(124, 1148), "utf-16le"));
    }
    addUuid(tags, sb.subarray(108, 124));
    addVersion(tags, version);
    const log = le32(sb, 16);
    if (log < 32) {
      addBlockSize(tags, 2 ** log);
    }
    return true;
  },
};

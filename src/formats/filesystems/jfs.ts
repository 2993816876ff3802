import { le16, le32 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addUuid } from "../tags.ts";

const SUPERBLOCK = 32 * 1024;

/** JFS (fs/jfs/jfs_superblock.h); block sizes and their logarithms must agree. */
export const jfs: Signature = {
  type: "jfs",
  usage: "filesystem",
  minSize: 16 * 1024 * 1024,
  magics: [{ text: "JFS1", at: SUPERBLOCK }],
  read(area, tags) {
    const sb = area.bytes(SUPERBLOCK, 184);
    if (sb === null) {
      return false;
    }
    const [blockLog, factorLog, sectorLog] = [le16(sb, 20), le16(sb, 22), le16(sb, 28)];
    const isBlock = le32(sb, 16) === 2 ** blockLog;
    const isSector = le32(sb, 24) === 2 ** sectorLog;
    if (!isBlock || !isSector || blockLog - sectorLog !== factorLog) {
      return false;
    }
    addLabel(tags, sb.subarray(152, 168));
    addUuid(tags, sb.subarray(136, 152));
    addBlockSize(tags, le32(sb, 16));
    return true;
  },
};

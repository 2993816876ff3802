import { le16, le32 } from "../../bytes.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addUuid, addVersion } from "../../tags.ts";

const OLD = 8 * 1024;
const NEW = 64 * 1024;
const MIN_SIZE = 128 * 1024;
// By the seventh letter of the magic.
const VERSIONS: Readonly<Record<string, string>> = { 2: "3.6", 3: "JR" };

/** reiserfs 3 (fs/reiserfs/reiserfs.h); the oldest has its superblock at 8 KiB. */
export const reiserfs: Signature = {
  type: "reiserfs",
  usage: "filesystem",
  minSize: MIN_SIZE,
  magics: [
    { text: "ReIsErFs", at: OLD + 0x34 },
    { text: "ReIsEr2Fs", at: NEW + 0x34 },
    { text: "ReIsEr3Fs", at: NEW + 0x34 },
    { text: "ReIsErFs", at: NEW + 0x34 },
    { text: "ReIsErFs", at: OLD + 20 },
  ],
  read(area, tags, magic) {
    const start = (magic?.at ?? 0) >= NEW ? NEW : OLD;
    const sb = area.bytes(start, 116);
    const blockSize = sb === null ? 0 : le16(sb, 44);
    // A superblock behind the journal's start is an old copy inside the journal.
    const block = Math.floor(start / 1024 / (blockSize >> 9));
    if (sb === null || blockSize < 512 || block > Math.floor(le32(sb, 12) / 2)) {
      return false;
    }
    const version = magic?.text[6];
    if (version === "2" || version === "3") {
      addLabel(tags, sb.subarray(100, 116));
      addUuid(tags, sb.subarray(84, 100));
    }
    addVersion(tags, VERSIONS[version ?? ""] ?? "3.5");
    addBlockSize(tags, blockSize);
    return true;
  },
};

/** reiser4. */
export const reiser4: Signature = {
  type: "reiser4",
  usage: "filesystem",
  minSize: MIN_SIZE,
  magics: [{ text: "ReIsEr4", at: NEW }],
  read(area, tags) {
    const sb = area.bytes(NEW, 60);
    if (sb === null) {
      return false;
    }
    addLabel(tags, sb.subarray(36, 52));
    addUuid(tags, sb.subarray(20, 36));
    addVersion(tags, "4");
    addBlockSize(tags, (sb[19] ?? 0) * 256);
    return true;
  },
};

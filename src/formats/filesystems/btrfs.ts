import { le32 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addUuid } from "../tags.ts";

const SUPERBLOCK = 64 * 1024;

/** btrfs (struct btrfs_super_block of linux/btrfs_tree.h); UUID_SUB is the device's, UUID the filesystem's. */
export const btrfs: Signature = {
  type: "btrfs",
  usage: "filesystem",
  magics: [{ text: "_BHRfS_M", at: SUPERBLOCK + 0x40 }],
  minSize: 1024 * 1024,
  read(area, tags) {
    const sb = area.bytes(SUPERBLOCK, 0x22b);
    if (sb === null) {
      return false;
    }
    // The device item lies at 0xc9: its UUID after 66 bytes of it; the label, 256 bytes, follows it.
    addLabel(tags, sb.subarray(0x12b));
    addUuid(tags, sb.subarray(0x20, 0x30));
    addUuid(tags, sb.subarray(0x10b, 0x11b), "UUID_SUB");
    addBlockSize(tags, le32(sb, 0x90));
    return true;
  },
};

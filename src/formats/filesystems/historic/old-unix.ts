import { be32, holds, le32 } from "../../bytes.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addSerial, addVersion } from "../../tags.ts";

const SYSV_MAGIC = 0xfd187e20;
const SYSV_BLOCKS = [0, 9, 15, 18];

/** System V (fs/sysv): the superblock is the second half of one of four blocks, of either byte order. */
export const sysv: Signature = {
  type: "sysv",
  usage: "filesystem",
  magics: [],
  read(area, tags) {
    for (const block of SYSV_BLOCKS) {
      const sb = area.bytes(block * 1024 + 512, 512);
      if (sb === null) {
        return false;
      }
      if (le32(sb, 504) === SYSV_MAGIC || be32(sb, 504) === SYSV_MAGIC) {
        addLabel(tags, sb.subarray(440, 446));
        return true;
      }
    }
    return false;
  },
};

/** Xenix, where libblkid looks for it. */
export const xenix: Signature = {
  type: "xenix",
  usage: "filesystem",
  magics: ["\x2b\x55\x44", "\x44\x55\x2b"].map((text) => ({ text, at: 2048 })),
  read(area, tags) {
    const sb = area.bytes(1024, 1024);
    addLabel(tags, sb?.subarray(632, 638) ?? new Uint8Array());
    return sb !== null;
  },
};

/** SCO's boot filesystem: nothing but its magic. */
export const bfs: Signature = {
  type: "bfs",
  usage: "filesystem",
  magics: [{ text: "\xce\xfa\xad\x1b", at: 0 }],
  read: () => true,
};

/** Veritas, of either byte order. */
export const vxfs: Signature = {
  type: "vxfs",
  usage: "filesystem",
  magics: [
    { text: "\xf5\xfc\x01\xa5", at: 1024 },
    { text: "\xa5\x01\xfc\xf5", at: 8192 },
  ],
  read(area, tags, magic) {
    const sb = area.bytes(magic?.at ?? 0, 44);
    if (sb === null) {
      return false;
    }
    const read32 = magic?.at === 1024 ? le32 : be32;
    addVersion(tags, String(read32(sb, 4)));
    addBlockSize(tags, read32(sb, 32));
    return true;
  },
};

/** OS/2's HPFS (fs/hpfs/hpfs.h): two superblocks, and a boot sector with the label. */
export const hpfs: Signature = {
  type: "hpfs",
  usage: "filesystem",
  magics: [{ text: "\x49\xe8\x95\xf9", at: 0x2000 }],
  read(area, tags) {
    const sb = area.bytes(0x2000, 9);
    const spare = area.bytes(0x2200, 8);
    const boot = area.bytes(0, 512);
    if (sb === null || spare === null || boot === null || !holds(spare, 0, "\x49\x18\x91\xf9")) {
      return false;
    }
    if (holds(boot, 510, "\x55\xaa") && holds(boot, 54, "HPFS") && boot[38] === 0x28) {
      addLabel(tags, boot.subarray(43, 54));
      addSerial(tags, boot.subarray(39, 43));
    }
    addVersion(tags, String(sb[8] ?? 0));
    addBlockSize(tags, 512);
    return true;
  },
};

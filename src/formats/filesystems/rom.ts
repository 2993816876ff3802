import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel } from "../tags.ts";

/** cramfs (linux/cramfs_fs.h), of either byte order. */
export const cramfs: Signature = {
  type: "cramfs",
  usage: "filesystem",
  magics: [
    { text: "\x45\x3d\xcd\x28", at: 0 },
    { text: "\x28\xcd\x3d\x45", at: 0 },
  ],
  read(area, tags) {
    const sb = area.bytes(0, 64);
    addLabel(tags, sb?.subarray(48) ?? new Uint8Array());
    return sb !== null;
  },
};

/** romfs (linux/romfs_fs.h). */
export const romfs: Signature = {
  type: "romfs",
  usage: "filesystem",
  magics: [{ text: "-rom1fs-", at: 0 }],
  read(area, tags) {
    const sb = area.bytes(0, 32);
    addLabel(tags, sb?.subarray(16) ?? new Uint8Array());
    addBlockSize(tags, 1024);
    return sb !== null;
  },
};

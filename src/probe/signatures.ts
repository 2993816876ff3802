import type { Signature } from "./signature.ts";
import { bitlocker } from "./types/bitlocker.ts";
import { btrfs } from "./types/btrfs.ts";
import { erofs } from "./types/erofs.ts";
import { ext2, ext3, ext4, ext4dev, jbd } from "./types/ext.ts";
import { vfat } from "./types/fat.ts";
import { iso9660 } from "./types/iso9660.ts";
import { luks } from "./types/luks.ts";
import { ntfs } from "./types/ntfs.ts";
import { squashfs, squashfs3 } from "./types/squashfs.ts";
import { swap, swsuspend } from "./types/swap.ts";
import { xfs, xfsLog } from "./types/xfs.ts";

/** Every type that is known, in libblkid's order, which decides between several on a floppy disk and among RAIDs. */
export const SIGNATURES: readonly Signature[] = [
  luks,
  bitlocker,
  vfat,
  swsuspend,
  swap,
  xfs,
  xfsLog,
  ext4dev,
  ext4,
  ext3,
  ext2,
  jbd,
  iso9660,
  ntfs,
  squashfs,
  squashfs3,
  btrfs,
  erofs,
];

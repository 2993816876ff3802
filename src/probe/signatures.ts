import type { Signature } from "./signature.ts";
import { bcache, bcachefs } from "./types/bcache.ts";
import {
  adaptec,
  highpoint37x,
  highpoint45x,
  isw,
  jmicron,
  lsi,
  nvidia,
  promise,
  silicon,
  via,
} from "./types/bios-raid.ts";
import { bitlocker } from "./types/bitlocker.ts";
import { btrfs } from "./types/btrfs.ts";
import { gfs, gfs2, ocfs, ocfs2, oracleAsm } from "./types/cluster.ts";
import { ddf } from "./types/ddf.ts";
import { integrity, snapshot, vdo, verity } from "./types/device-mapper.ts";
import { drbd, drbdManage, drbdProxy } from "./types/drbd.ts";
import { erofs } from "./types/erofs.ts";
import { exfat } from "./types/exfat.ts";
import { ext2, ext3, ext4, ext4dev, jbd } from "./types/ext.ts";
import { f2fs } from "./types/f2fs.ts";
import { vfat } from "./types/fat.ts";
import { jffs2, ubi, ubifs } from "./types/flash.ts";
import { hfs, hfsplus } from "./types/hfs.ts";
import { iso9660 } from "./types/iso9660.ts";
import { jfs } from "./types/jfs.ts";
import { luks } from "./types/luks.ts";
import { lvm1, lvm2 } from "./types/lvm.ts";
import { md } from "./types/md.ts";
import { minix } from "./types/minix.ts";
import { nilfs2 } from "./types/nilfs.ts";
import { ntfs } from "./types/ntfs.ts";
import { bfs, hpfs, sysv, vxfs, xenix } from "./types/old-unix.ts";
import { reiser4, reiserfs } from "./types/reiserfs.ts";
import { cramfs, romfs } from "./types/rom.ts";
import { squashfs, squashfs3 } from "./types/squashfs.ts";
import { stratis } from "./types/stratis.ts";
import { swap, swsuspend } from "./types/swap.ts";
import { udf } from "./types/udf.ts";
import { ufs } from "./types/ufs.ts";
import { apfs, bluestore, mpool, nss, refs, zonefs } from "./types/vendor.ts";
import { vmfs, vmfsVolume } from "./types/vmfs.ts";
import { exfs, xfs, xfsLog, xfsLogFar } from "./types/xfs.ts";
import { zfs } from "./types/zfs.ts";

const RAIDS = [md, ddf, isw, lsi, via, silicon, nvidia, promise, highpoint45x, highpoint37x, adaptec, jmicron];

const CONTAINERS = [
  bcache,
  bluestore,
  drbd,
  drbdManage,
  drbdProxy,
  lvm2,
  lvm1,
  snapshot,
  verity,
  integrity,
  luks,
  vmfsVolume,
  ubi,
  vdo,
  stratis,
  bitlocker,
];

const FILESYSTEMS = [
  vfat,
  swsuspend,
  swap,
  xfs,
  xfsLog,
  exfs,
  ext4dev,
  ext4,
  ext3,
  ext2,
  jbd,
  reiserfs,
  reiser4,
  jfs,
  udf,
  iso9660,
  zfs,
  hfsplus,
  hfs,
  ufs,
  hpfs,
  sysv,
  xenix,
  ntfs,
  refs,
  cramfs,
  romfs,
  minix,
  gfs,
  gfs2,
  ocfs,
  ocfs2,
  oracleAsm,
  vxfs,
  squashfs,
  squashfs3,
  nss,
  btrfs,
  ubifs,
  bfs,
  vmfs,
  nilfs2,
  exfat,
  f2fs,
  mpool,
  apfs,
  zonefs,
  erofs,
];

// Not in libblkid 2.38, or not so: these come last, so they never take the place of a type that is.
const OWN = [bcachefs, jffs2];

/** Every type that is known, in libblkid's order, which decides between several on a floppy disk and among containers. */
export const SIGNATURES: readonly Signature[] = [...RAIDS, ...CONTAINERS, ...FILESYSTEMS, ...OWN];

/** Looked for where nothing else was found. */
export const LAST_RESORT: Signature = xfsLogFar;

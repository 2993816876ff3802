import { bcache, bcachefs } from "./containers/bcache.ts";
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
} from "./containers/bios-raid.ts";
import { bitlocker } from "./containers/bitlocker.ts";
import { ddf } from "./containers/ddf.ts";
import { integrity, snapshot, vdo, verity } from "./containers/device-mapper.ts";
import { drbd, drbdManage, drbdProxy } from "./containers/drbd.ts";
import { luks } from "./containers/luks.ts";
import { lvm1, lvm2 } from "./containers/lvm.ts";
import { md } from "./containers/md.ts";
import { stratis } from "./containers/stratis.ts";
import { swap, swsuspend } from "./containers/swap.ts";
import { vmfs, vmfsVolume } from "./containers/vmfs.ts";
import { btrfs } from "./filesystems/btrfs.ts";
import { gfs, gfs2, ocfs, ocfs2, oracleAsm } from "./filesystems/cluster.ts";
import { exfat } from "./filesystems/dos/exfat.ts";
import { vfat } from "./filesystems/dos/fat.ts";
import { ntfs } from "./filesystems/dos/ntfs.ts";
import { erofs } from "./filesystems/erofs.ts";
import { ext2, ext3, ext4, ext4dev, jbd } from "./filesystems/ext.ts";
import { f2fs } from "./filesystems/f2fs.ts";
import { jffs2, ubi, ubifs } from "./filesystems/flash.ts";
import { hfs, hfsplus } from "./filesystems/historic/hfs.ts";
import { minix } from "./filesystems/historic/minix.ts";
import { bfs, hpfs, sysv, vxfs, xenix } from "./filesystems/historic/old-unix.ts";
import { reiser4, reiserfs } from "./filesystems/historic/reiserfs.ts";
import { ufs } from "./filesystems/historic/ufs.ts";
import { apfs, bluestore, mpool, nss, refs, zonefs } from "./filesystems/historic/vendor.ts";
import { jfs } from "./filesystems/jfs.ts";
import { nilfs2 } from "./filesystems/nilfs.ts";
import { iso9660 } from "./filesystems/optical/iso9660.ts";
import { udf } from "./filesystems/optical/udf.ts";
import { cramfs, romfs } from "./filesystems/rom.ts";
import { squashfs, squashfs3 } from "./filesystems/squashfs.ts";
import { exfs, xfs, xfsLog, xfsLogFar } from "./filesystems/xfs.ts";
import { zfs } from "./filesystems/zfs.ts";
import type { Signature } from "./signature.ts";

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

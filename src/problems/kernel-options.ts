import { inBuilder } from "./diagnosis.ts";
import type { Hint } from "./errors.ts";

/** The options of fs/ whose names are not the type in capitals, or that with _FS behind it (fs/Kconfig of Linux). */
const FILESYSTEMS: Readonly<Record<string, string>> = {
  "9p": "9P_FS",
  ext2: "EXT4_FS",
  ext3: "EXT4_FS",
  nfs4: "NFS_V4",
  nfs: "NFS_FS",
  ntfs: "NTFS3_FS",
  ntfs3: "NTFS3_FS",
  overlay: "OVERLAY_FS",
  virtiofs: "VIRTIO_FS",
};
const WITHOUT_FS = new Set(["cifs", "cramfs", "romfs", "squashfs", "tmpfs"]);
const WITH_FS =
  /^(?:bcachefs|btrfs|erofs|exfat|ext4|f2fs|gfs2|hfs|hfsplus|iso9660|jffs2|jfs|minix|msdos|nilfs2|ocfs2|reiserfs|ubifs|udf|vfat|xfs)$/;

/** Modules of the block layer and of the device mapper whose options are not their names in capitals (drivers/block, drivers/md). */
const MODULES: Readonly<Record<string, string>> = {
  dm_mod: "BLK_DEV_DM",
  dm_thin_pool: "DM_THIN_PROVISIONING",
  loop: "BLK_DEV_LOOP",
  nbd: "BLK_DEV_NBD",
  raid1: "MD_RAID1",
  raid10: "MD_RAID10",
  raid456: "MD_RAID456",
};
const BY_NAME = /^dm_(?:cache|cache_smq|crypt|integrity|mirror|multipath|raid|snapshot|verity|zero)$/;

/** Returns the option of the kernel's configuration for a type of filesystem, as "CONFIG_EXT4_FS"; null if levain does not know it. */
export function filesystemOption(type: string): string | null {
  const known = Object.hasOwn(FILESYSTEMS, type) ? FILESYSTEMS[type] : undefined;
  if (known !== undefined) return `CONFIG_${known}`;
  if (WITHOUT_FS.has(type)) return `CONFIG_${type.toUpperCase()}`;
  return WITH_FS.test(type) ? `CONFIG_${type.toUpperCase()}_FS` : null;
}

/** Returns the option for a module of the block layer or of the device mapper; null if levain does not know it. */
export function moduleOption(module: string): string | null {
  const name = module.replaceAll("-", "_");
  const known = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined;
  if (known !== undefined) return `CONFIG_${known}`;
  return BY_NAME.test(name) ? `CONFIG_${name.toUpperCase()}` : null;
}

/** Names the option of a kernel without modules, or without this one. */
export function withOption(option: string | null): readonly Hint[] {
  return option === null ? [] : [inBuilder(`boot a kernel built with ${option}`)];
}

/** Names of bits, by their numbers from 0; "" where a number has none. */
type Bits = readonly string[];

const bits = (names: string): Bits => names.split(" ").map((name) => (name === "-" ? "" : name));

/** Features that a driver must know to mount, as mke2fs, mkfs.xfs and mkfs.btrfs call them. */
const NEEDED: Readonly<Record<string, Bits>> = {
  // EXT4_FEATURE_INCOMPAT_* of fs/ext4/ext4.h; lib/e2p/feature.c.
  ext4: bits(
    "compression filetype needs_recovery journal_dev meta_bg - extent 64bit mmp flex_bg ea_inode - dirdata metadata_csum_seed large_dir inline_data encrypt casefold",
  ),
  // XFS_SB_FEAT_INCOMPAT_* of fs/xfs/libxfs/xfs_format.h.
  xfs: bits("ftype sparse meta_uuid bigtime needsrepair nrext64 exchange parent metadir zoned"),
  // BTRFS_FEATURE_INCOMPAT_* of include/uapi/linux/btrfs.h; fs/btrfs/sysfs.c.
  btrfs: bits(
    "mixed_backref default_subvol mixed_groups compress_lzo compress_zstd big_metadata extended_iref raid56 skinny_metadata no_holes metadata_uuid raid1c34 zoned extent_tree_v2 raid_stripe_tree - simple_quota",
  ),
};

/** Features that a driver must know to write: EXT4_FEATURE_RO_COMPAT_*, XFS_SB_FEAT_RO_COMPAT_*, BTRFS_FEATURE_COMPAT_RO_*. */
const NEEDED_TO_WRITE: Readonly<Record<string, Bits>> = {
  ext4: bits(
    "sparse_super large_file - huge_file uninit_bg dir_nlink extra_isize - quota bigalloc metadata_csum replica read-only project shared_blocks verity orphan_present",
  ),
  xfs: bits("finobt rmapbt reflink inobtcount"),
  btrfs: bits("free_space_tree free_space_tree_valid verity block_group_tree"),
};

/** Returns the names of features that a driver does not know, from the kernel's mask in hexadecimal; one without a name as "bit N". */
export function nameFeatures(type: string, mask: string, isToWrite: boolean): readonly string[] {
  const names = (isToWrite ? NEEDED_TO_WRITE : NEEDED)[type.replace(/^ext[23]$/, "ext4")];
  const value = BigInt(`0x${mask}`);
  if (names === undefined) return [];
  const numbers = Array.from({ length: 64 }, (_, number) => number);
  return numbers.filter((number) => (value >> BigInt(number)) & 1n).map((number) => names[number] || `bit ${number}`);
}

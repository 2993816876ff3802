import { le16, le32, le64 } from "../../bytes.ts";
import type { ByteSource } from "../../facts.ts";

/** True if the journal of a filesystem holds changes that are not in their places yet: it was not unmounted. False if that cannot be read. */
export type IsUnclean = (source: ByteSource) => boolean;

const KIB = 1024;

/** EXT4_FEATURE_INCOMPAT_RECOVER in s_feature_incompat (fs/ext4/ext4.h). */
export const isExtUnclean: IsUnclean = (source) => (le32(source.read(KIB + 0x60, 4), 0) & 4) !== 0;

/** log_root of struct btrfs_super_block (linux/btrfs_tree.h): the log tree of what fsync wrote after the last commit. */
export const isBtrfsUnclean: IsUnclean = (source) => le64(source.read(64 * KIB + 0x60, 8), 0) !== 0n;

/** NILFS_VALID_FS in s_state of struct nilfs_super_block (linux/nilfs2_ondisk.h). */
export const isNilfsUnclean: IsUnclean = (source) => {
  const state = source.read(KIB + 116, 2);
  return state.length === 2 && (le16(state, 0) & 1) === 0;
};

/** CP_UMOUNT_FLAG in ckpt_flags of the newer of the two struct f2fs_checkpoint (linux/f2fs_fs.h). */
export const isF2fsUnclean: IsUnclean = (source) => {
  const superblock = source.read(KIB, 80);
  const blockBytes = 2 ** Math.min(le32(superblock, 16), 16);
  const packBytes = blockBytes * 2 ** Math.min(le32(superblock, 20), 16);
  const first = le32(superblock, 76) * blockBytes;
  const [one = EMPTY, other = EMPTY] = [first, first + packBytes].map((at) => source.read(at, 136));
  const newest = le64(other, 0) > le64(one, 0) ? other : one;
  return newest.length === 136 && (le32(newest, 132) & 1) === 0;
};

const EMPTY = new Uint8Array();

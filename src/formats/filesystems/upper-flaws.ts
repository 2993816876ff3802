import { be32, le32 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/**
 * Why overlayfs refuses to keep changes on a filesystem, or keeps only a part of them (fs/overlayfs/super.c): it needs extended
 * attributes `trusted.overlay.*`, the type of each entry in a directory, names that differ by case, and a filesystem that is writable.
 */
export type UpperFlaw = "no-xattr" | "no-d-type" | "case-folding" | "read-only";

/** Returns why a filesystem cannot be the upper of an overlay; null if it can. */
export type FindUpperFlaw = (source: ByteSource) => UpperFlaw | null;

const KIB = 1024;

/** INCOMPAT_FILETYPE and INCOMPAT_CASEFOLD of s_feature_incompat (fs/ext4/ext4.h). */
export const findExtUpperFlaw: FindUpperFlaw = (source) => {
  const features = le32(source.read(KIB + 0x60, 4), 0);
  if ((features & 0x20000) !== 0) return "case-folding";
  return (features & 2) === 0 ? "no-d-type" : null;
};

/** Directory entries have a type by XFS_SB_FEAT_INCOMPAT_FTYPE (version 5) or XFS_SB_VERSION2_FTYPE (fs/xfs/libxfs/xfs_format.h). */
export const findXfsUpperFlaw: FindUpperFlaw = (source) => {
  const superblock = source.read(0, 256);
  const version = (superblock[101] ?? 0) & 0xf;
  const hasType = version === 5 ? (be32(superblock, 216) & 1) !== 0 : (be32(superblock, 200) & 0x200) !== 0;
  return hasType ? null : "no-d-type";
};

/** F2FS_FEATURE_CASEFOLD in `feature` of struct f2fs_super_block (linux/f2fs_fs.h, fs/f2fs/f2fs.h). */
export const findF2fsUpperFlaw: FindUpperFlaw = (source) =>
  (le32(source.read(KIB + 2180, 4), 0) & 0x1000) !== 0 ? "case-folding" : null;

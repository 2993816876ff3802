import { COLUMN } from "./calls.ts";

/** The kernel's numbers for directory trees and the mount API of Linux 5.2, named as in its headers. */

/** linux/fcntl.h, linux/stat.h */
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;
export const UTIME_OMIT = 0x3ffffffe;
export const S_IFSOCK = 0o140000;
/** struct statx: its size and where its fields begin, in bytes; and what is asked for. */
export const STATX_BASIC_STATS = 0x7ff;
export const STATX = {
  size: 256,
  stx_nlink: 16,
  stx_uid: 20,
  stx_gid: 24,
  stx_mode: 28,
  stx_ino: 32,
  stx_size: 40,
  stx_blocks: 48,
  stx_ctime: 96,
  stx_mtime: 112,
  stx_rdev_major: 128,
} as const;
/** What differs: asm-generic/fcntl.h of x86-64, asm/fcntl.h of aarch64. */
export const OPEN_FLAGS = { O_DIRECTORY: [0o200000, 0o40000], O_NOFOLLOW: [0o400000, 0o100000] } as const;
export const O_DIRECTORY = OPEN_FLAGS.O_DIRECTORY[COLUMN];
export const O_NOFOLLOW = OPEN_FLAGS.O_NOFOLLOW[COLUMN];
/** linux/fs.h */
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
/** linux/limits.h: the most bytes of an attribute, and of all names of attributes. */
export const XATTR_SIZE_MAX = 65536;
export const XATTR_LIST_MAX = 65536;

/** linux/mount.h */
export const OPEN_TREE_CLONE = 1;
export const MOUNT_ATTR_RDONLY = 1n;
export const FSPICK_CLOEXEC = 1;
export const FSPICK_EMPTY_PATH = 8;
export const FSCONFIG_SET_FLAG = 0;
export const FSCONFIG_CMD_RECONFIGURE = 7;
/** struct statfs: ten words before f_flags; linux/statfs.h. */
export const STATFS_WORDS = 15;
export const STATFS_FLAGS_WORD = 10;
export const ST_RDONLY = 1n;

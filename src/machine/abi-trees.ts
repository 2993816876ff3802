/** The kernel's numbers for directory trees and the mount API of Linux 5.2, named as in its headers. */

/** linux/fcntl.h, linux/stat.h */
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EMPTY_PATH = 0x1000;
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000;
export const UTIME_OMIT = 0x3ffffffe;
export const S_IFSOCK = 0o140000;
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

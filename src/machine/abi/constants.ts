/**
 * The kernel's numbers and structures, named as in its headers. Plain data, little-endian and 64-bit, as on the two architectures
 * that levain supports.
 */

/** asm-generic/errno-base.h and errno.h: the name at index n is error n; "-" for an unused number. */
const ERRNO_NAMES = (
  "- EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST " +
  "EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE " +
  "EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH " +
  "ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE " +
  "ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD " +
  "ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT " +
  "EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH " +
  "ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN " +
  "EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE " +
  "ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON"
).split(" ");

/** Returns the name of error number `errno`, as "ENOENT"; "E524" for one without a name (kernel-internal ones leak at times). */
export function errnoName(errno: number): string {
  const name = ERRNO_NAMES[errno];
  return name === undefined || name === "-" ? `E${errno}` : name;
}

/** linux/fcntl.h */
export const AT_FDCWD = -100;
export const F_SETFD = 2;
export const FD_CLOEXEC = 1;
export const SEEK_END = 2;
export const POSIX_FADV_RANDOM = 1;
export const POSIX_FADV_SEQUENTIAL = 2;
export const POSIX_FADV_WILLNEED = 3;
/** linux/memfd.h */
export const MFD_CLOEXEC = 1;
export const MFD_NOEXEC_SEAL = 8;

/** linux/stat.h */
export const S_IFMT = 0o170000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;

/** linux/mount.h: the flags of mount(2) by their names in mount(8). */
export const MOUNT_FLAGS = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  mand: 64,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rec: 16384,
  silent: 1 << 15,
  private: 1 << 18,
  relatime: 1 << 21,
  iversion: 1 << 23,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
} as const;
/** Flags without a name in mount(8), and those of umount2(2) and move_mount(2). */
export const MS_MOVE = 8192;
export const MNT_DETACH = 2;
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;

/** linux/sched.h */
export const CLONE_NEWNS = 0x20000;

/** asm-generic/fcntl.h; linux/openat2.h */
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const RESOLVE_NO_SYMLINKS = 4;

/** linux/module.h */
export const MODULE_INIT_COMPRESSED_FILE = 4;

/** linux/cdrom.h */
export const CDROM_DRIVE_STATUS = 0x5326;
export const CDSL_CURRENT = 0x7fffffff;
export const CDS_NO_DISC = 1;
export const CDS_TRAY_OPEN = 2;

/** linux/fs.h: sets and reads whether a block device is read-only; both take the address of an int. */
export const BLKROSET = 0x125d;
export const BLKROGET = 0x125e;

/** linux/fs.h: the attributes of a file, as chattr(1) sets them; the address of an int. */
export const FS_IOC_SETFLAGS = 0x40086602;

/** linux/loop.h */
export const LOOP_SET_FD = 0x4c00;
export const LOOP_CLR_FD = 0x4c01;
export const LOOP_SET_STATUS64 = 0x4c04;
export const LOOP_CONFIGURE = 0x4c0a;
export const LOOP_CTL_GET_FREE = 0x4c82;
export const LO_FLAGS_READ_ONLY = 1;
export const LO_FLAGS_AUTOCLEAR = 4;
export const LO_NAME_SIZE = 64;
/** struct loop_info64: its size and where its fields begin, in bytes. */
export const LOOP_INFO64 = { size: 232, lo_offset: 24, lo_sizelimit: 32, lo_flags: 52, lo_file_name: 56 } as const;
/** struct loop_config: a u32 fd, a u32 block_size, then a loop_info64 and eight reserved u64. */
export const LOOP_CONFIG = { size: 304, fd: 0, block_size: 4, info: 8 } as const;

/** linux/btrfs.h */
export const BTRFS_IOC_DEVICES_READY = 0x90009427;
export const BTRFS_IOC_FORGET_DEV = 0x50009405;
/** struct btrfs_ioctl_vol_args: an s64 fd, then the path, NUL-terminated. */
export const BTRFS_IOCTL_VOL_ARGS = { size: 4096, name: 8 } as const;

/** linux/socket.h, linux/netlink.h, asm-generic/socket.h */
export const AF_NETLINK = 16;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_RCVBUFFORCE = 33;
export const MSG_DONTWAIT = 0x40;
export const NETLINK_KOBJECT_UEVENT = 15;
/** struct sockaddr_nl: u16 family, u16 padding, u32 port id, u32 groups. */
export const SOCKADDR_NL = { size: 12, nl_family: 0, nl_pid: 4, nl_groups: 8 } as const;

/** linux/time.h */
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
/** asm-generic/resource.h */
export const RLIMIT_NOFILE = 7;

/** asm/signal.h */
export const SIGHUP = 1;
export const SIGQUIT = 3;

/** linux/utsname.h: texts of 65 bytes. */
export const NEW_UTSNAME = { size: 390, release: 130, machine: 260 } as const;

/** linux/reboot.h */
export const LINUX_REBOOT_MAGIC1 = 0xfee1dead;
export const LINUX_REBOOT_MAGIC2 = 672274793;
export const LINUX_REBOOT_CMD_RESTART = 0x01234567;
export const LINUX_REBOOT_CMD_HALT = 0xcdef0123;
export const LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc;

/** The requests of linux/raid/md_u.h, for major number 9. */
export const SET_ARRAY_INFO = 0x40480923;
export const ADD_NEW_DISK = 0x40140921;
export const STOP_ARRAY = 0x932;
/** struct mdu_array_info_s: 18 words. Without raid_disks the kernel learns from it only which superblocks to read (set_array_info() of drivers/md/md.c). */
export const MDU_ARRAY_INFO = { size: 72, major_version: 0, minor_version: 4, patch_version: 8 } as const;
/** struct mdu_disk_info_s. */
export const MDU_DISK_INFO = { size: 20, major: 4, minor: 8 } as const;
export const MD_MAJOR = 9;

/**
 * The kernel's numbers and structures for encrypted volumes, named as in its headers: device mapper, keys and ciphers. Plain data,
 * like constants.ts.
 */

/** linux/dm-ioctl.h: requests, each _IOWR(0xfd, number, struct dm_ioctl). */
export const DM_DEV_CREATE = 0xc138fd03;
export const DM_LIST_DEVICES = 0xc138fd02;
export const DM_DEV_REMOVE = 0xc138fd04;
export const DM_DEV_SUSPEND = 0xc138fd06;
export const DM_DEV_STATUS = 0xc138fd07;
export const DM_TABLE_LOAD = 0xc138fd09;
export const DM_TABLE_STATUS = 0xc138fd0c;
export const DM_LIST_VERSIONS = 0xc138fd0d;
/** The oldest version of the interface that has all this: every 4.x version accepts it. */
export const DM_VERSION = [4, 0, 0] as const;
export const DM_READONLY_FLAG = 1;
/** The status is the table itself. */
export const DM_STATUS_TABLE_FLAG = 1 << 4;
export const DM_BUFFER_FULL_FLAG = 1 << 8;
/** The kernel wipes its copy of the request. */
export const DM_SECURE_DATA_FLAG = 1 << 15;
/** struct dm_ioctl: its size and where its fields begin. */
export const DM_IOCTL = {
  size: 312,
  version: 0,
  data_size: 12,
  data_start: 16,
  target_count: 20,
  flags: 28,
  dev: 40,
  name: 48,
  uuid: 176,
} as const;
/** The size of a name and a uuid, with their NUL. */
export const DM_NAME_LEN = 128;
export const DM_UUID_LEN = 129;
/** struct dm_target_spec; `next` counts from this one's start when a table is loaded, from the first one's in an answer. */
export const DM_TARGET_SPEC = { size: 40, sector_start: 0, length: 8, next: 20, target_type: 24 } as const;
export const DM_MAX_TYPE_NAME = 16;
/** struct dm_name_list: u64 dev, u32 next (from this one's start, 0 at the last), name. */
export const DM_NAME_LIST = { dev: 0, next: 8, name: 12 } as const;
/** struct dm_target_versions: u32 next, u32 version[3], name. */
export const DM_TARGET_VERSIONS = { next: 0, version: 4, name: 16 } as const;

/** linux/keyctl.h */
export const KEY_SPEC_THREAD_KEYRING = -1;
export const KEYCTL_UNLINK = 9;

/** linux/socket.h, linux/if_alg.h */
export const AF_ALG = 38;
export const SOCK_SEQPACKET = 5;
export const SOL_ALG = 279;
export const ALG_SET_KEY = 1;
export const ALG_SET_IV = 2;
export const ALG_SET_OP = 3;
export const ALG_OP_DECRYPT = 0;
/** struct sockaddr_alg: u16 family, the type, u32 feat, u32 mask, the name; both texts NUL-terminated. */
export const SOCKADDR_ALG = { size: 88, salg_type: 2, salg_name: 24, name_size: 64 } as const;
/** struct msghdr of 64 bits: msg_iov points at struct iovec (pointer, length), msg_control at control messages. */
export const MSGHDR = { size: 56, msg_iov: 16, msg_iovlen: 24, msg_control: 32, msg_controllen: 40 } as const;
/** struct cmsghdr: u64 length with this head, s32 level, s32 type; the next one begins at a multiple of 8. */
export const CMSGHDR = { size: 16, cmsg_len: 0, cmsg_level: 8, cmsg_type: 12 } as const;

/** The requests of linux/raid/md_u.h, for major number 9. */
export const SET_ARRAY_INFO = 0x40480923;
export const ADD_NEW_DISK = 0x40140921;
export const RUN_ARRAY = 0x400c0930;
export const STOP_ARRAY = 0x932;
/** struct mdu_array_info_s: 18 words. Without raid_disks the kernel learns from it only which superblocks to read (set_array_info() of drivers/md/md.c). */
export const MDU_ARRAY_INFO = { size: 72, major_version: 0, minor_version: 4, patch_version: 8 } as const;
/** struct mdu_disk_info_s. */
export const MDU_DISK_INFO = { size: 20, major: 4, minor: 8 } as const;
export const MD_MAJOR = 9;

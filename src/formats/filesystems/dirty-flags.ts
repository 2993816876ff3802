import { le16 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** True if a filesystem asks for a check that the kernel does not make when it is mounted. False if that cannot be read. */
export type IsDirty = (source: ByteSource) => boolean;

/** EXT4_ERROR_FS in s_state (fs/ext4/ext4.h): the kernel has found an error. */
export const isExtDirty: IsDirty = (source) => (le16(source.read(1024 + 0x3a, 2), 0) & 2) !== 0;

/** FAT_STATE_DIRTY in `state` of struct fat_boot_sector (linux/msdos_fs.h), which FAT32 has in another place: it has no fat_length. */
export const isFatDirty: IsDirty = (source) => {
  const sector = source.read(0, 512);
  const isFat32 = sector.length === 512 && le16(sector, 0x16) === 0;
  return ((sector[isFat32 ? 0x41 : 0x25] ?? 0) & 1) !== 0;
};

/** VOL_DIRTY in vol_flags of struct boot_sector (fs/exfat/exfat_raw.h). */
export const isExfatDirty: IsDirty = (source) => (le16(source.read(106, 2), 0) & 2) !== 0;

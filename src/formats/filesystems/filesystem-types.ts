import { le64 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** What levain knows of a filesystem type besides its superblock. */
interface FilesystemType {
  /** What the kernel may call it, the first to try first; its own name where left out. */
  readonly drivers?: readonly string[];
  /** Mount options that keep the kernel from replaying the journal, so that a read-only mount writes nothing. */
  readonly withoutReplay?: string;
  /** Modules of the character sets that a mount asks for by default (CONFIG_FAT_DEFAULT_*, CONFIG_NLS_DEFAULT of the distributions). */
  readonly charsets?: readonly string[];
  /** True if live-boot accepts NAME.TYPE as an image (`is_live_path` of its 9990-misc-helpers.sh); EROFS is levain's addition. */
  readonly isLiveImage?: true;
  /** Reads how many bytes the filesystem has by its superblock; null if that cannot be read. */
  readonly readSize?: (source: ByteSource) => number | null;
}

/** THE table of filesystem types. A type without a row needs nothing in particular. */
const TYPES: Readonly<Record<string, FilesystemType>> = {
  squashfs: { isLiveImage: true, readSize: readSquashfsSize },
  erofs: { isLiveImage: true },
  ext2: { isLiveImage: true },
  ext3: { isLiveImage: true, withoutReplay: "noload" },
  ext4: { isLiveImage: true, withoutReplay: "noload" },
  xfs: { isLiveImage: true, withoutReplay: "norecovery" },
  jffs2: { isLiveImage: true },
  f2fs: { withoutReplay: "norecovery" },
  nilfs2: { withoutReplay: "norecovery" },
  btrfs: { withoutReplay: "rescue=nologreplay" },
  vfat: { charsets: ["nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8"] },
  msdos: { charsets: ["nls_cp437"] },
  iso9660: { charsets: ["nls_utf8"] },
  udf: { charsets: ["nls_utf8"] },
  ntfs: { drivers: ["ntfs3", "ntfs"] }, // ntfs3 since Linux 5.15
  ntfs3: { charsets: ["nls_utf8"] },
  hfs: { charsets: ["nls_utf8"] },
  hfsplus: { charsets: ["nls_utf8"] },
  jfs: { charsets: ["nls_utf8"] },
};

/** The types that live-boot accepts as images, in the order of the table. */
export const LIVE_IMAGE_TYPES = Object.keys(TYPES).filter((type) => TYPES[type]?.isLiveImage === true);

/** Returns the row of a type. */
export function filesystemType(type: string): FilesystemType {
  return (Object.hasOwn(TYPES, type) ? TYPES[type] : undefined) ?? {};
}

/** Returns what the kernel may call the driver of a type, the first to try first. */
export function driversOf(type: string): readonly string[] {
  return filesystemType(type).drivers ?? [type];
}

/** Returns the modules of the character sets that a mount of `type` with these options (comma-separated) may ask for. */
export function charsetsFor(type: string, options: string): readonly string[] {
  const { charsets } = filesystemType(type);
  if (charsets === undefined) return [];
  const asked = options.split(",").flatMap((option) => {
    const [, name, value] = /^(codepage|iocharset|nls)=(?:cp)?([\w-]+)$/.exec(option) ?? [];
    if (value === undefined) return [];
    return [name === "codepage" || /^\d+$/.test(value) ? `nls_cp${value}` : `nls_${value}`];
  });
  return [...new Set([...charsets, ...asked])];
}

/** bytes_used of struct squashfs_super_block (fs/squashfs/squashfs_fs.h). */
function readSquashfsSize(source: ByteSource): number | null {
  const field = source.read(40, 8);
  return field.length < 8 ? null : Number(le64(field, 0));
}

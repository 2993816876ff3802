import { type IsDirty, isExfatDirty, isExtDirty, isFatDirty } from "./dirty-flags.ts";
import { type FindFlaw, findErofsFlaw, findSquashfsFlaw } from "./image-flaws.ts";
import {
  type IsUnclean,
  isBtrfsUnclean,
  isExtUnclean,
  isF2fsUnclean,
  isNilfsUnclean,
  isXfsUnclean,
} from "./journals.ts";
import {
  type FindUpperFlaw,
  findExtUpperFlaw,
  findF2fsUpperFlaw,
  findXfsUpperFlaw,
  type UpperFlaw,
} from "./upper-flaws.ts";

/** What levain knows of a filesystem type besides its superblock. */
interface FilesystemType {
  /** What the kernel may call it, the first to try first; its own name where left out. */
  readonly drivers?: readonly string[];
  /**
   * The options, comma-separated, that make a read-only mount skip the journal: without them it writes to the device. "": the
   * driver has no such option. In both cases the device has to be read-only too, because no option keeps ext4 and f2fs from
   * deleting orphaned inodes, or ReiserFS from writing its journal's header; without an option the driver then refuses a journal that
   * is not empty. Left out: a read-only mount writes nothing (the driver opens its journal only for writing, or has none).
   */
  readonly untouched?: string;
  readonly isUnclean?: IsUnclean;
  /** Options of the journal, which the driver refuses when it does not load it. */
  readonly journalOptions?: readonly string[];
  /** Modules of the character sets that a mount asks for by default (CONFIG_FAT_DEFAULT_*, CONFIG_NLS_DEFAULT of the distributions). */
  readonly charsets?: readonly string[];
  /** True if live-boot accepts NAME.TYPE as an image (`is_live_path` of its 9990-misc-helpers.sh); EROFS is levain's addition. */
  readonly isLiveImage?: true;
  /** For images in files, which are often copied in part. */
  readonly findFlaw?: FindFlaw;
  /** Whether it asks for a check. */
  readonly isDirty?: IsDirty;
  /** Why overlayfs keeps no changes on it, whatever its features are. */
  readonly upperFlaw?: UpperFlaw;
  /** The same by its features. */
  readonly findUpperFlaw?: FindUpperFlaw;
}

const EXT: FilesystemType = {
  isLiveImage: true,
  untouched: "noload",
  isUnclean: isExtUnclean,
  isDirty: isExtDirty,
  findUpperFlaw: findExtUpperFlaw,
  // fs/ext4/super.c: "can't mount with …, fs mounted w/o journal".
  journalOptions: ["data", "commit", "journal_checksum", "journal_async_commit"],
};

/** THE table of filesystem types. A type without a row needs nothing in particular. */
const TYPES: Readonly<Record<string, FilesystemType>> = {
  squashfs: { isLiveImage: true, findFlaw: findSquashfsFlaw, upperFlaw: "read-only" },
  erofs: { isLiveImage: true, findFlaw: findErofsFlaw, upperFlaw: "read-only" },
  ext2: { isLiveImage: true, untouched: "", isDirty: isExtDirty, findUpperFlaw: findExtUpperFlaw }, // the ext4 driver mounts it where ext2 is not built
  ext3: EXT,
  ext4: EXT,
  xfs: { isLiveImage: true, untouched: "norecovery", isUnclean: isXfsUnclean, findUpperFlaw: findXfsUpperFlaw },
  jffs2: { isLiveImage: true },
  f2fs: { untouched: "norecovery", isUnclean: isF2fsUnclean, findUpperFlaw: findF2fsUpperFlaw },
  nilfs2: { untouched: "norecovery", isUnclean: isNilfsUnclean, upperFlaw: "no-xattr" },
  btrfs: { untouched: "rescue=nologreplay", isUnclean: isBtrfsUnclean }, // since Linux 5.9
  bcachefs: { untouched: "nochanges" },
  gfs2: { untouched: "norecovery" },
  ocfs2: { untouched: "" },
  reiserfs: { untouched: "", upperFlaw: "no-d-type" },
  reiser4: { untouched: "" },
  vfat: {
    upperFlaw: "no-xattr",
    isDirty: isFatDirty,
    charsets: ["nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8"],
  },
  msdos: { upperFlaw: "no-xattr", isDirty: isFatDirty, charsets: ["nls_cp437"] },
  exfat: { upperFlaw: "no-xattr", isDirty: isExfatDirty },
  iso9660: { upperFlaw: "read-only", charsets: ["nls_utf8"] },
  udf: { upperFlaw: "no-xattr", charsets: ["nls_utf8"] },
  ntfs: { drivers: ["ntfs3", "ntfs"], upperFlaw: "case-folding" }, // ntfs3 since Linux 5.15
  ntfs3: { upperFlaw: "case-folding", charsets: ["nls_utf8"] },
  cramfs: { upperFlaw: "read-only" },
  romfs: { upperFlaw: "read-only" },
  minix: { upperFlaw: "no-xattr" },
  hfs: { upperFlaw: "case-folding", charsets: ["nls_utf8"] },
  hfsplus: { upperFlaw: "case-folding", charsets: ["nls_utf8"] },
  jfs: { upperFlaw: "no-d-type", charsets: ["nls_utf8"] },
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

/** Returns `options` (comma-separated) with those that make a read-only mount of `type` write nothing, or null if such a mount needs nothing in particular. */
export function untouchedOptions(type: string, options: string): string | null {
  const { untouched, journalOptions = [] } = filesystemType(type);
  if (untouched === undefined) return null;
  const added = untouched.split(",");
  const kept = options
    .split(",")
    .filter((option) => !added.includes(option) && !journalOptions.includes(option.split("=", 1)[0] ?? ""));
  return [...kept, ...added].filter((option) => option !== "").join(",");
}

/** Returns the modules of the character sets that a mount of `type` with these options (comma-separated) may ask for. */
export function charsetsFor(type: string, options: string): readonly string[] {
  const { charsets } = filesystemType(type);
  if (charsets === undefined) return [];
  const asked = options.split(",").flatMap((option) => {
    const [, name] = /^(?:codepage|iocharset|nls)=(?:cp)?([\w-]+)$/.exec(option) ?? [];
    return name === undefined ? [] : charsetModule(name);
  });
  return [...new Set([...charsets, ...asked])];
}

/** Returns the module of a character set. */
export function charsetModule(name: string): string {
  return /^\d+$/.test(name) ? `nls_cp${name}` : `nls_${name}`;
}

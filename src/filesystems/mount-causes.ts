import type { Loader } from "../drivers/make-loader.ts";
import { charsetModule, driversOf, filesystemType } from "../formats/filesystems/filesystem-types.ts";
import type { Machine } from "../machine/machine.ts";
import { textOrNone } from "../machine/small-files.ts";
import type { MountCause } from "../problems/causes/mount.ts";
import { isErrno, type SyscallError } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import { nameFeatures } from "./feature-names.ts";
import { listSubvolumes } from "./subvolumes.ts";

/** A mount that the kernel refused, and what it logged meanwhile. */
export interface Refusal {
  readonly type: string;
  readonly error: SyscallError;
  readonly kernel: readonly string[];
  /** As in rootflags=. */
  readonly options: string;
  readonly node: string;
  /** What a message calls it: the path of an image, else its node. */
  readonly name: string;
  /** As probed; null if unknown. */
  readonly probed: string | null;
  /** True if the mount must not write to the device. */
  readonly isUntouched: boolean;
}

interface CauseContext {
  readonly machine: Machine;
  readonly drivers: Pick<Loader, "blocked">;
}

type Kind = MountCause["kind"];

/**
 * The kernel's own words, from fs/ of Linux 5.10 to 7.2; what a group captures is the detail of the cause. The first row that
 * matches counts.
 */
const WORDS: readonly (readonly [words: RegExp, kind: Kind])[] = [
  // ext2, ext4, ocfs2, nilfs2; btrfs; XFS; quota of ext4 and f2fs.
  [
    /(?:couldn't mount RDWR|cannot mount read-write) because of (?:unsupported|unknown)[^(]*(?:\((?:0x)?([\da-f]{1,16})\))?/i,
    "unknown-write-features",
  ],
  [
    /unknown read-only compatible features \(0x([\da-f]{1,16})\)[\s\S]*Attempted to mount read-only/,
    "unknown-write-features",
  ],
  [/Attempted to mount read-only compatible filesystem read-write/, "unknown-write-features"],
  [/cannot be mounted RDWR without CONFIG_/, "unknown-write-features"],
  // ext2, ext4, ocfs2, nilfs2 and btrfs; XFS; erofs; casefold of ext4 and f2fs; squashfs; XFS without V4.
  [/mount because of (?:unsupported|unknown)[^(]* features(?: \((?:0x)?([\da-f]{1,16})\))?/i, "unknown-features"],
  [/Superblock has unknown incompatible features(?: \(0x([\da-f]{1,16})\))?/, "unknown-features"],
  [/Superblock has unknown read-only compatible features/, "unknown-features"],
  [/unidentified (?:incompatible feature|requirements)/, "unknown-features"],
  [/cannot be mounted without CONFIG_/, "unknown-features"],
  [/Major\/Minor mismatch, (?:trying to mount newer|older Squashfs)/, "unknown-features"],
  [/Deprecated V4 format \(crc=0\) not supported by kernel/, "unknown-features"],
  // squashfs; erofs.
  [/Filesystem uses "([\w-]{1,16})" compression\. This is not supported/, "unknown-compression"],
  [
    /unidentified algorithms|algorithm \w+ isn't enabled on this kernel|unknown compression format/,
    "unknown-compression",
  ],
  // ext4, whose blocks may be smaller than a page, but not than a sector.
  [/bad block size (?:1024|2048)\b/, "sector-size"],
  // XFS; btrfs; ext4; erofs.
  [
    /Only (?:pagesize|block size) \(\d+\) or less|not yet supported for page size|blkszbits \d+ isn't supported/,
    "block-size",
  ],
  [/(?:bad|unsupported) (?:filesystem )?block ?size/i, "block-size"],
  [/device supports \d+ byte sectors \(not \d+\)/, "sector-size"],
  // ext4, XFS, nilfs2 and f2fs; btrfs, whose errno is EIO.
  [/write access unavailable|log replay required on RO media/, "journal-locked"],
  [/Filesystem has duplicate UUID/, "same-uuid"],
  [/failed to open journal device|having an external log; specify logdev/, "journal-elsewhere"],
  [/volume is dirty and "force" flag is not set|Windows is hibernated/, "windows-open"],
  // ext2 and ext4; XFS and others by blkdev_get.
  [/block count \d+ exceeds size of device|attempt to access beyond end of device/, "beyond-device"],
  // fs_parser.c; the older parsers of each filesystem.
  [/Unknown parameter '([\w.=-]{1,40})'/, "unknown-option"],
  [/unrecognized mount option "?'?([\w.=-]{1,40})/i, "unknown-option"],
  [/Bad value for '([\w.-]{1,40})'/, "unknown-option"],
  // fs/fat, fs/isofs and others; ext4 and f2fs.
  [/(?:codepage|charset) (?:cp)?([\w-]{1,20}) not found/i, "module-missing"],
  [/Cannot load (\w{1,20}) driver/, "module-missing"],
  [/checksum mismatch|Corruption detected|SB validate failed|is corrupted|group descriptors corrupted/i, "damaged"],
];

/** Finds the cause of a refusal in the kernel's words, else in what is known of the device and of the mount; null if neither tells. */
export function findMountCause(context: CauseContext, refusal: Refusal): MountCause | null {
  const cause =
    fromVerity(context, refusal) ?? fromFacts(context, refusal) ?? fromWords(refusal) ?? fromErrno(context, refusal);
  if (cause?.kind !== "journal-locked") return cause;
  if (refusal.isUntouched) return { kind: "needs-replay", detail: [] };
  const option = filesystemType(refusal.type).untouched ?? "";
  return { ...cause, detail: option === "" ? [] : [option] };
}

function fromVerity({ machine }: CauseContext, { node, name, kernel }: Refusal): MountCause | null {
  const device = /^\/dev\/mapper\//.test(node)
    ? (machine.listMappings().find((one) => node === `/dev/mapper/${one.name}`)?.device ?? "")
    : "";
  const damage = device === "" ? null : findDamage(machine, device, kernel);
  return damage && { kind: "medium-damaged", detail: [name, ...damage.map(String)] };
}

/** Returns where the data of a dm-verity device are damaged, in bytes, as the kernel has logged it; empty if its hash tree is damaged, null if neither. */
export function findDamage(machine: Machine, device: string, kernel: readonly string[]): readonly number[] | null {
  const [, part, block] = /verity: \S+ (data|metadata) block (\d+) is corrupted/.exec(kernel.join("\n")) ?? [];
  if (part === undefined) return null;
  // The kernel gives a verity device the block size of its data (verity_io_hints).
  const blockBytes = Number(textOrNone(machine, `/sys/class/block/${device}/queue/logical_block_size`)) || 4096;
  return part === "data" ? [Number(block) * blockBytes] : [];
}

function fromWords({ kernel, type }: Refusal): MountCause | null {
  const text = kernel.join("\n");
  for (const [words, kind] of WORDS) {
    const match = words.exec(text);
    if (match === null) continue;
    const parts = match.slice(1).filter((part) => part !== undefined);
    return { kind, detail: parts.flatMap((part) => detailOf(kind, part, type)) };
  }
  return null;
}

/** What the words of a cause need of a part of the kernel's: names of features in place of their mask, a module for a character set. */
function detailOf(kind: Kind, part: string, type: string): string | readonly string[] {
  if (kind === "unknown-features" || kind === "unknown-write-features") {
    return nameFeatures(type, part, kind === "unknown-write-features");
  }
  return moduleOf(kind, part);
}

/** A character set is a module with another name. */
function moduleOf(kind: Kind, word: string): string {
  if (kind !== "module-missing" || !/^(?:\d+|utf8|iso8859.*|koi8.*|euc.*|ascii)$/.test(word)) return word;
  return charsetModule(word);
}

/** What the kernel does not log, or less exactly. */
function fromFacts({ machine }: CauseContext, { type, probed, node, options, error }: Refusal): MountCause | null {
  const wanted = /(?:^|,)(subvol(?:id)?=[^,]*)/.exec(options)?.[1] ?? null;
  if (type === "btrfs" && wanted !== null && isErrno(error, "ENOENT", "EINVAL")) {
    const present = listSubvolumes(machine, node);
    const name = wanted.slice(wanted.indexOf("=") + 1);
    const isThere = wanted.startsWith("subvol=") && present.includes(name.replace(/^\/+|\/+$/g, ""));
    if (isErrno(error, "ENOENT") || !(isThere || present.length === 0)) {
      return { kind: "no-subvolume", detail: [name, ...present].map(printable) };
    }
  }
  const isOther = probed !== null && ![probed, ...driversOf(probed)].includes(type) && !isSameFamily(probed, type);
  return isOther ? { kind: "wrong-type", detail: [probed] } : null;
}

/** The driver of ext4 mounts ext2 and ext3 too, that of vfat the others of FAT. */
function isSameFamily(one: string, other: string): boolean {
  return [/^ext[234]$/, /^(?:vfat|msdos|exfat)$/].some((family) => family.test(one) && family.test(other));
}

function fromErrno({ machine, drivers }: CauseContext, { type, node, error }: Refusal): MountCause | null {
  if (isErrno(error, "ENODEV")) {
    const block = drivers.blocked().find(({ module, alias }) => module === type || alias === `fs_${type}`);
    if (block === undefined) return { kind: "driver-missing", detail: [] };
    return { kind: "driver-blacklisted", detail: [block.module, block.by, block.place] };
  }
  const isGone = isErrno(error, "ENXIO") || (isErrno(error, "ENOENT", "ENOTBLK", "EIO") && machine.stat(node) === null);
  if (isGone) return { kind: "device-gone", detail: [] };
  if (isErrno(error, "EIO")) return { kind: "device-failing", detail: [] };
  if (isErrno(error, "ENOMEM")) return { kind: "memory-short", detail: [] };
  if (isErrno(error, "EBUSY")) return { kind: "in-use", detail: [] };
  if (isErrno(error, "EUCLEAN", "EFSCORRUPTED")) return { kind: "damaged", detail: [] };
  // A read-only mount that needs to write replays a journal.
  if (isErrno(error, "EROFS") && filesystemType(type).untouched !== undefined) {
    return { kind: "journal-locked", detail: [] };
  }
  return null;
}

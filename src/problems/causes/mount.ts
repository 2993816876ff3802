import { byHand, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import type { Hint } from "../errors.ts";
import { filesystemOption, withOption } from "../kernel-options.ts";
import { cause, isPlainWord, listNames } from "./cause.ts";
import { WRITE_AGAIN } from "./verity.ts";

/** What is mounted: decides which parameters a hint can name. */
export type Role = "root" | "layer" | "image" | "store" | "submount";

/** What the words for a refused mount depend on. */
interface Refused {
  readonly node: string;
  readonly type: string;
  readonly role: Role;
  /** What the cause is about: a compression, an option, a module, names of subvolumes. */
  readonly detail: readonly string[];
}

/** Why the kernel refused a mount, as far as that is known. */
export interface MountCause {
  readonly kind: keyof typeof MOUNT_CAUSES;
  readonly detail: readonly string[];
}

/** An image or a file of one that is not what it was. */
export const DAMAGED_IMAGE = byHand(
  "the file is damaged or not an image: write it to the medium again and compare its checksum",
);
const NEWER_KERNEL = inBuilder("use a newer kernel: the filesystem is not damaged, and a check does not help");

/** What to try if a line of the root's fstab, or of rd.mount=, cannot be mounted. */
export const WITHOUT_FSTAB: readonly Hint[] = [
  inBootLoader("boot without it: rd.fstab=no, or remove rd.mount= if that names it"),
  inShell("try that with `levain retry rd.fstab=no`"),
];

/** Only the root has options on the command line. */
function inRootFlags(role: Role, text: string): readonly Hint[] {
  return role === "root" ? [inBootLoader(text)] : [];
}

/** The programs that repair a filesystem where fsck(8) does not. */
const REPAIRS: Readonly<Record<string, string>> = {
  xfs: "xfs_repair",
  btrfs: "btrfs check",
  ntfs: "chkdsk in Windows",
  ntfs3: "chkdsk in Windows",
};

/** Returns what to try with a filesystem that is damaged. */
export function hintsForRepair({ node, type, role }: Pick<Refused, "node" | "type" | "role">): readonly Hint[] {
  if (role === "image") return [DAMAGED_IMAGE];
  const program = Object.hasOwn(REPAIRS, type) ? REPAIRS[type] : undefined;
  if (program === undefined) {
    return [
      inShell(`check ${node} with fsck, then \`levain retry\``),
      byHand("repair the filesystem on another machine"),
    ];
  }
  return [byHand(`repair the filesystem on another machine: ${program}`)];
}

/** Returns how a driver is let in again: `by` is a parameter, or a line of modprobe.d, and `place` where it is. */
export function unblock(by: string, place: string): Hint {
  if (place === "command line") return inBootLoader(`remove ${by} from the kernel command line`);
  const what = place === "modprobe.d" ? `the line "${by}" from modprobe.d` : `${by} from the parameters of levain.toml`;
  return inBuilder(`remove ${what} and rebuild the image`);
}

const nameAll = (names: readonly string[]) => (names.length === 0 ? "" : `: ${listNames(names)}`);
const named = (words: string) => (words === "" ? "an option" : `the option ${words}`);

/** THE table of causes of a refused mount. */
export const MOUNT_CAUSES = {
  "unknown-features": cause<Refused>(
    ({ detail }) => `it has features that this kernel does not know${nameAll(detail)}`,
    ({ role }) => [NEWER_KERNEL, ...(role === "image" ? [inBuilder("make the image without them")] : [])],
  ),
  "unknown-write-features": cause<Refused>(
    ({ detail }) => `it has features that this kernel can read but not write${nameAll(detail)}`,
    ({ role }) => [...inRootFlags(role, "mount it read-only: ro in place of rw"), NEWER_KERNEL],
  ),
  "unknown-compression": cause<Refused>(
    ({ detail: [name = ""] }) => `this kernel does not support its compression${name === "" ? "" : ` (${name})`}`,
    () => [inBuilder("use a kernel that supports it"), inBuilder("make the filesystem with another compression")],
  ),
  "block-size": cause<Refused>(
    () => "this kernel does not support the size of its blocks",
    () => [inBuilder("use a kernel with larger pages or a newer one: the filesystem is not damaged")],
  ),
  "sector-size": cause<Refused>(
    () => "it was made for a disk with smaller sectors",
    () => [byHand("copy the files to a filesystem that is made on this disk, or use a disk with sectors of 512 bytes")],
  ),
  "journal-locked": cause<Refused>(
    () => "its journal has to be replayed, and the device is write-protected",
    ({ role, detail: [option = ""] }) => [
      ...(option === "" ? [] : inRootFlags(role, `mount it without its journal: add ${option} to rootflags=`)),
      ...(role === "root" && option !== "" ? [inShell(`try that with \`levain retry rootflags=${option}\``)] : []),
      byHand("remove the write protection"),
    ],
  ),
  "needs-replay": cause<Refused>(
    () => "its journal has to be replayed, and levain writes nothing to it",
    () => [byHand("mount it writable on another machine and unmount it, then boot again")],
  ),
  "no-subvolume": cause<Refused>(
    ({ detail: [wanted = "", ...present] }) =>
      `it has no subvolume ${wanted}${present.length === 0 ? "" : `; it has ${listNames(present)}`}`,
    ({ role, detail: [, ...present] }) => [
      ...inRootFlags(role, "correct the subvolume in rootflags="),
      ...present
        .filter(isPlainWord)
        .slice(0, 1)
        .map((name) => inShell(`try one with \`levain retry rootflags=subvol=${name}\``)),
    ],
  ),
  "unknown-option": cause<Refused>(
    ({ detail: [name = ""] }) => `it does not accept ${named(name)}`,
    ({ role, detail: [name = ""] }) => [
      ...inRootFlags(role, `remove ${named(name)} from rootflags=`),
      ...(role === "submount" ? [inBuilder(`remove ${named(name)} from its line in /etc/fstab of the root`)] : []),
    ],
  ),
  "beyond-device": cause<Refused>(
    () => "it is larger than its device",
    ({ role }) =>
      role === "image"
        ? [DAMAGED_IMAGE]
        : [byHand("give the partition its old size, or copy the whole filesystem again")],
  ),
  "same-uuid": cause<Refused>(
    () => "another XFS with its UUID is mounted",
    ({ role }) => [...inRootFlags(role, "add nouuid to rootflags="), byHand("remove the copy of the disk")],
  ),
  "journal-elsewhere": cause<Refused>(
    () => "its journal is on another device, which is missing",
    ({ role, type }) => [
      byHand("attach that device"),
      ...inRootFlags(role, `name it in rootflags=: ${type === "xfs" ? "logdev" : "journal_path"}=/dev/NAME`),
    ],
  ),
  "windows-open": cause<Refused>(
    () => "Windows has not closed it",
    ({ role }) => [
      byHand("start Windows and shut it down completely, without fast startup"),
      ...inRootFlags(role, "mount it read-only: ro in place of rw"),
    ],
  ),
  "wrong-type": cause<Refused>(
    ({ detail: [probed = ""] }) => `the device holds ${probed}`,
    ({ role }) =>
      role === "submount"
        ? [inBuilder("correct its type in /etc/fstab of the root"), inBootLoader("correct mount.usrfstype=")]
        : [inBootLoader("correct rootfstype=, or remove it")],
  ),
  "in-use": cause<Refused>(
    () => "it is mounted already, or part of another device",
    ({ node }) => [inShell(`see what uses ${node}: \`cat /proc/mounts\`, \`ls /sys/class/block/*/holders\``)],
  ),
  "module-missing": cause<Refused>(
    ({ detail: [name = ""] }) => `this kernel has no ${name}, and no module for it could be loaded`,
    ({ detail: [name = ""] }) => [inBuilder(`add its module to the image: levain image --module ${name}`)],
  ),
  "driver-missing": cause<Refused>(
    () => "this kernel does not know that filesystem, and no module for it could be loaded",
    ({ type }) => [
      inBuilder(`add its module to the image: levain image --module ${type}`),
      ...withOption(filesystemOption(type)),
    ],
  ),
  "driver-blacklisted": cause<Refused>(
    ({ detail: [module = "", by = ""] }) => `its driver ${module} is on a blacklist: ${by}`,
    ({ detail: [, by = "", place = ""] }) => [unblock(by, place)],
  ),
  "medium-damaged": cause<Refused>(
    ({ detail: [name = "", offset] }) =>
      `the medium is damaged: ${name} ${offset === undefined ? "in its hash tree" : `at byte ${offset}`}`,
    () => [WRITE_AGAIN],
  ),
  "device-gone": cause<Refused>(
    () => "the device has gone",
    () => [byHand("attach the disk again, and check its cable and its power"), inShell("`exit` retries then")],
  ),
  "device-failing": cause<Refused>(
    () => "the device returns I/O errors: it is failing, or its cable is",
    ({ role }) => [byHand("check the disk and its cable"), ...(role === "image" ? [DAMAGED_IMAGE] : [])],
  ),
  "memory-short": cause<Refused>(
    () => "there is not enough memory",
    () => [byHand("give the machine more memory")],
  ),
  damaged: cause<Refused>(() => "the filesystem is damaged and needs repair", hintsForRepair),
};

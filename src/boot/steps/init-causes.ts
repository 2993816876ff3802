import { listBlockDeviceNames, readDeviceEntry } from "../../devices/block-devices.ts";
import { readBlockDevices } from "../../devices/read-devices.ts";
import { readFstab } from "../../filesystems/fstab.ts";
import { findMount, readMounts } from "../../filesystems/mounts.ts";
import { findDirectoryIn, findFileIn, resolveIn } from "../../filesystems/resolve.ts";
import { listSubvolumes } from "../../filesystems/subvolumes.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone } from "../../machine/small-files.ts";
import type { InitCause } from "../../problems/causes/init.ts";
import { orIfRefused } from "../../problems/errors.ts";

interface Look {
  readonly machine: Machine;
  /** Where the root is mounted. */
  readonly root: string;
  /** The programs that were tried, paths in the root. */
  readonly candidates: readonly string[];
}

/** The images of live media, as the tools of the distributions make it. */
export const LIVE_IMAGES = [
  ...["/LiveOS/squashfs.img", "/LiveOS/rootfs.img", "/live/filesystem.squashfs", "/casper/filesystem.squashfs"],
  ...["/arch/x86_64/airootfs.sfs", "/arch/x86_64/airootfs.erofs"],
];
const BOOT_FILES = /^(?:grub2?|vmlinuz.*|initrd.*|initramfs.*|loader|EFI|efi|extlinux|syslinux)$/;

const HOME_FILES = ["/.bashrc", "/.profile", "/.config", "/.zshrc"];

/** THE table of what a root without an init may be instead. Each row returns the names for the words; null if it is not that. */
const FINDERS: Readonly<Record<InitCause["kind"], (look: Look) => readonly string[] | null>> = {
  subvolume: findSubvolumes,
  directory: findDirectories,
  ostree: ({ machine, root }) =>
    ["/ostree/repo", "/ostree/deploy"].some((path) => findDirectoryIn(machine, root, path) !== null) ? [] : null,
  "separate-usr": findSeparateUsr,
  "old-root": findOtherRoot,
  "live-image"({ machine, root }) {
    const found = LIVE_IMAGES.find((path) => findFileIn(machine, root, path) !== null);
    return found === undefined ? null : [found];
  },
  empty: ({ machine, root }) => (machine.listDirectory(root).every((name) => name === "lost+found") ? [] : null),
  homes({ machine, root }) {
    if (findDirectoryIn(machine, root, "/etc") !== null) return null;
    const isHome = (name: string) => HOME_FILES.some((file) => resolveIn(machine, root, `/${name}${file}`) !== null);
    return orNull(listOrNone(machine, root).filter(isHome));
  },
  "boot-partition"({ machine, root }) {
    const names = listOrNone(machine, root).filter((name) => BOOT_FILES.test(name));
    return names.length > 1 && findDirectoryIn(machine, root, "/etc") === null ? names : null;
  },
};

/** Returns what the tree at `root` may be, as it has no init that can be started; the likeliest first. It only reads. */
export function findInitCauses(look: Look): readonly InitCause[] {
  const kinds = Object.keys(FINDERS) as InitCause["kind"][];
  return kinds.flatMap((kind) => {
    const detail = orIfRefused(() => FINDERS[kind](look), null);
    return detail === null ? [] : [{ kind, detail }];
  });
}

/** The subvolumes with an init, of a btrfs that is the root or its lowest layer. */
function findSubvolumes({ machine, root, candidates }: Look): readonly string[] | null {
  const isPart = (target: string) => target === root || target.startsWith("/run/levain/");
  const mount = readMounts(machine).find(({ target, type }) => type === "btrfs" && isPart(target));
  if (mount === undefined) return null;
  return orNull(
    listSubvolumes(machine, mount.source, (directory) => hasInit({ machine, root: directory, candidates })),
  );
}

/** Directories with a whole system, as a copy of one leaves behind; a subvolume looks like a directory, too. */
function findDirectories(look: Look): readonly string[] | null {
  if (findSubvolumes(look) !== null) return null;
  const { machine, root } = look;
  return orNull(
    listOrNone(machine, root).filter((name) => {
      const directory = name === "usr" ? null : findDirectoryIn(machine, root, `/${name}`);
      return directory !== null && hasInit({ ...look, root: directory });
    }),
  );
}

function hasInit({ machine, root, candidates }: Look): boolean {
  return candidates.some((path) => resolveIn(machine, root, path) !== null);
}

function orNull(names: readonly string[]): readonly string[] | null {
  return names.length === 0 ? null : names;
}

/** /usr that is empty until fstab(5) is followed: returns its device there, or nothing where no line has it. */
function findSeparateUsr({ machine, root }: Look): readonly string[] | null {
  const usr = findDirectoryIn(machine, root, "/usr");
  const isEmpty = usr === null || machine.listDirectory(usr).every((name) => name === "lost+found");
  if (!isEmpty) return null;
  const device = readFstab(machine, root)?.find(({ target }) => target === "/usr")?.source;
  if (device !== undefined) return [device];
  return usr === null ? null : [];
}

/** Returns the device of / in the fstab of this root, if that names another filesystem by its UUID or label. */
function findOtherRoot({ machine, root }: Look): readonly string[] | null {
  const source = readFstab(machine, root)?.find(({ target }) => target === "/")?.source ?? "";
  const [, tag, value = ""] = /^(UUID|LABEL)="?([^"]+)"?$/.exec(source) ?? [];
  const node = findMount(readMounts(machine), root)?.source ?? "";
  if (tag === undefined || !node.startsWith("/dev/")) return null;
  const number = machine.stat(node)?.represents;
  const names = listBlockDeviceNames(machine).filter((name) => readDeviceEntry(machine, name)?.number === number);
  const facts = readBlockDevices(machine, names).devices[0]?.facts;
  const own = tag === "UUID" ? facts?.uuid : facts?.label;
  return own == null || own.toLowerCase() === value.toLowerCase() ? null : [source];
}

import { type FstabEntry, hasOption } from "../../filesystems/fstab.ts";
import { type DeviceSpec, parseDeviceSpec } from "../../parameters/device-spec.ts";
import { findForeignOption } from "../../parameters/mount-options.ts";
import { normalisePath } from "../../parameters/parse.ts";
import type { BootPlan, UnionPlan, UsrPlan } from "../../plan/plan.ts";
import { mergedPlace, PARTS } from "../root-stack.ts";

interface Place {
  /** Where in the root: absolute, without "." and "..". */
  readonly path: string;
  /** fstab's nofail: the boot goes on without it. */
  readonly isOptional: boolean;
}

/** A filesystem of a device. */
export interface DeviceSubmount extends Place {
  readonly kind: "device";
  /** null: the root device. */
  readonly device: DeviceSpec | null;
  readonly types: readonly string[];
  /** Comma-separated, as in fstab. */
  readonly options: string;
  /** The directory of it that is mounted (X-mount.subdir=); null for all of it. */
  readonly subdirectory: string | null;
  readonly isChecked: boolean;
  /** "untouched": not a byte of its device is written. */
  readonly access: "writable" | "untouched";
}

/** A file or directory of the root at another place. */
export interface BindSubmount extends Place {
  readonly kind: "bind";
  readonly source: string;
  readonly options: string;
  /** rbind: with what is mounted below it. */
  readonly isRecursive: boolean;
  /** True if the source is a path from the initramfs, not of the root. */
  readonly isOutside: boolean;
}

/** A directory of the root below a tmpfs, and below a place on a disk between the two (rd.union=). */
export interface UnionSubmount extends Place, UnionPlan {
  readonly kind: "union";
  /** Of the tmpfs. */
  readonly place: string;
  /** The places of the store, and of the filesystem that holds it. */
  readonly storePlaces: { readonly place: string; readonly outer: string };
}

/** What is mounted at a place below the root. */
export type Submount =
  | DeviceSubmount
  /** An image file in the root. */
  | (Place & { readonly kind: "image"; readonly source: string })
  | BindSubmount
  /** A filesystem without a device, from fstab. */
  | (Place & { readonly kind: "memory"; readonly source: string; readonly type: string; readonly options: string })
  /** rd.tmpfs=, with the owner and permissions of the directory that it covers. */
  | (Place & { readonly kind: "tmpfs"; readonly size: string | null; readonly place: string })
  | UnionSubmount
  /** What levain cannot mount, and why. */
  | (Place & { readonly kind: "unsupported"; readonly why: string });

/** The parts of a plan that decide the mounts below the root. */
export type BelowPlan = Pick<BootPlan, "submounts" | "volatile">;

const USR = "/usr";
/** Filesystems that need no device. */
const IN_MEMORY = ["tmpfs", "ramfs", "overlay"];
/** Filesystems of other machines. */
const ON_NETWORK = /^(?:nfs4?|cifs|smb3|smbfs|ceph|glusterfs|lustre|afs|fuse\.sshfs|sshfs|davfs)$/;
const SUBDIRECTORY = /^[xX]-mount\.subdir=(.+)$/s;
/** The options that are not the filesystem's and decide what is mounted. */
const OURS = /^(?:r?bind$|[xX]-mount\.subdir=)/;

/** Decides what is mounted below the root, the parents first; `fstab` is that of the root. */
export function planSubmounts(plan: BelowPlan, fstab: readonly FstabEntry[]): readonly Submount[] {
  const { usr, extra, tmpfs, unions } = plan.submounts;
  const lines = [...extra, ...fstab.filter(isWanted)].map(ofEntry);
  const all = [
    ...(usr === null ? [] : ofParameter(usr, lines)),
    ...lines,
    ...(plan.volatile === null ? [] : [usrOf(mergedPlace(plan))]),
  ];
  const mounts = firstOfEach(plan.volatile === null ? all : all.filter(({ path }) => path === USR).map(asReadOnly));
  return [
    ...mounts,
    ...tmpfs.map(
      (one, index): Submount => ({ ...one, kind: "tmpfs", place: `${PARTS}/tmpfs/${index}`, isOptional: false }),
    ),
    ...unions.map((one, index): Submount => {
      const storePlaces = { place: `${PARTS}/stores/${index}`, outer: `${PARTS}/stores/disk-${index}` };
      return { ...one, kind: "union", place: `${PARTS}/union/${index}`, storePlaces, isOptional: false };
    }),
  ].toSorted((one, other) => depth(one) - depth(other));
}

function depth({ path }: Place): number {
  return path.split("/").length;
}

function firstOfEach(all: readonly Submount[]): readonly Submount[] {
  return all.filter(({ path }, index) => all.findIndex((other) => other.path === path) === index);
}

function isWanted({ target, options }: FstabEntry): boolean {
  const path = normalisePath(target);
  const isNeeded = path === USR || hasOption(options, "x-initrd.mount");
  // "none" is swap; the root itself is mounted.
  return isNeeded && target.startsWith("/") && !/^[/.]*$/.test(target) && !hasOption(options, "noauto");
}

/** Without mount.usr=, its options are for the device of fstab, or for the root device if they name a subvolume. */
function ofParameter({ device, types, options }: UsrPlan, lines: readonly Submount[]): readonly Submount[] {
  const line = lines.find(({ path }) => path === USR);
  if (device === null && line?.kind === "device") {
    return [{ ...line, ...(types.length > 0 && { types }), ...(options !== "" && { options }) }];
  }
  if (device === null && !/(?:^|,)subvol(?:id)?=/.test(options)) return [];
  const rest = { subdirectory: null, isChecked: true, access: "writable", isOptional: false } as const;
  return [{ kind: "device", path: USR, device, types, options, ...rest }];
}

/** The /usr of a tree that is not the root. */
function usrOf(base: string): Submount {
  const source = `${base}${USR}`;
  return { kind: "bind", path: USR, source, options: "", isRecursive: true, isOutside: true, isOptional: false };
}

function ofEntry(entry: FstabEntry): Submount {
  const { source, target, type } = entry;
  const path = normalisePath(target);
  const own = { path: path ?? target, isOptional: hasOption(entry.options, "nofail") };
  const unsupported = (why: string): Submount => ({ ...own, kind: "unsupported", why });
  if (path === null) return unsupported('its path contains ".."');
  if (ON_NETWORK.test(type))
    return unsupported(`${source} is on the network, and levain mounts local filesystems here`);
  const words = entry.options.split(",");
  const options = words.filter((word) => !OURS.test(word)).join(",");
  const foreign = findForeignOption(options);
  if (foreign !== null) return unsupported(`levain does not support the option ${foreign}`);
  if (IN_MEMORY.includes(type)) return { ...own, kind: "memory", source, type, options };
  if (words.includes("bind") || words.includes("rbind")) {
    return { ...own, kind: "bind", source, options, isRecursive: words.includes("rbind"), isOutside: false };
  }
  const device = /^\/dev\/|^[A-Za-z]+=/.test(source) ? parseDeviceSpec(source) : null;
  const types = type.split(",").filter((one) => one !== "auto" && one !== "none");
  if (device !== null) {
    const subdirectory = words.flatMap((word) => SUBDIRECTORY.exec(word)?.[1] ?? [])[0] ?? null;
    const { isChecked } = entry;
    return { ...own, kind: "device", device, types, options, subdirectory, isChecked, access: "writable" };
  }
  if (source.startsWith("/") && !source.startsWith("/dev/")) return { ...own, kind: "image", source };
  return unsupported(`levain cannot mount ${source} with the type ${type}`);
}

/** Of a root in memory, /usr is not written. */
function asReadOnly(submount: Submount): Submount {
  if (submount.kind === "device") return { ...submount, isChecked: false, access: "untouched" };
  return "options" in submount ? { ...submount, options: `${submount.options},ro` } : submount;
}

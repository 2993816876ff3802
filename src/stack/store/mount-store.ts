import { type BlockDevice, withReader } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { checkFilesystem } from "../../filesystems/check.ts";
import { makePlace, mountDevice } from "../../filesystems/mount.ts";
import { findMount, type MountEntry, readMounts } from "../../filesystems/mounts.ts";
import { hasUnreplayedJournal } from "../../filesystems/untouched.ts";
import { filesystemType, untouchedOptions } from "../../formats/filesystems/filesystem-types.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { orIfRefused, unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal } from "../../problems/report.ts";

/** "writable": changes go there. "untouched": what is there is shown, and not a byte of the device is written. */
export type StoreAccess = "writable" | "untouched";

/** What is mounted, and how the user named it. */
export interface StoreMount {
  readonly store: string;
  readonly device: Pick<BlockDevice, "node" | "facts" | "unreadable">;
  readonly target: string;
  readonly access: StoreAccess;
  /** Comma-separated. */
  readonly options: string;
}

/** Mounts the filesystem of a store; a writable one is checked and repaired first, if the image has the program for it. Returns its type. Throws BootError. */
export function mountStore(
  context: Context,
  plan: Pick<BootPlan, "rootCheck" | "rootRepair">,
  mount: StoreMount,
): string {
  const { machine } = context;
  const { store, device, target, access, options } = mount;
  const order = { device, target, types: [], access, options, role: "store" } as const;
  if (access === "untouched") return mountDevice(context, order);
  const shared = findShared(machine, device.node);
  if (shared !== undefined) return shareMount(context, mount, shared);
  checkFilesystem(context, device, plan);
  warnIfDirty(context, mount);
  const type = mountDevice(context, order);
  if (findMount(readMounts(machine), target)?.options.split(",").includes("ro") === true) {
    throw problem("store-read-only", { store, node: device.node, why: "the device is write-protected" });
  }
  return type;
}

/** A check has cleared the mark, if the image has the program and parameters allow it. */
function warnIfDirty({ machine, voice }: Context, { device: { node, facts } }: StoreMount): void {
  const { isDirty } = filesystemType(facts.type ?? "");
  if (isDirty === undefined || !orIfRefused(() => withReader(machine, node, isDirty), false)) return;
  voice.warn(`${node} asks for a check, which was not made: add fsck.${facts.type} to programs in levain.toml`);
}

/** Returns the mount of a filesystem that is mounted already. The writable one of another store comes first: a store that fails must not make the filesystem read-only again for that one. */
function findShared(machine: Machine, node: string): MountEntry | undefined {
  const mounts = readMounts(machine).filter(({ source }) => source === node);
  const [first] = mounts;
  const isWritable = ({ root, options }: MountEntry) => root === first?.root && !options.split(",").includes("ro");
  return mounts.find(isWritable) ?? first;
}

/**
 * Makes a filesystem writable that is mounted as the medium: the kernel mounts no device once read-only and once writable. The
 * mount of the medium itself stays read-only; only the one at `target` lets changes through.
 */
function shareMount({ machine, undo }: Context, { store, device, target }: StoreMount, shared: MountEntry): string {
  const { node } = device;
  if (hasUnreplayedJournal(machine, node, shared.type)) {
    const why = "it is the medium and was not unmounted: mount it once on another machine";
    throw problem("store-read-only", { store, node, why });
  }
  makePlace(machine, target);
  machine.mount({ source: shared.target, target, type: "", flags: ["bind"], options: "" });
  undo(() => machine.unmount(target));
  if (!shared.options.split(",").includes("ro")) return shared.type; // by another store on the same device
  const isProtected = untouchedOptions(shared.type, "") !== null;
  if (isProtected) machine.releaseDevice(node);
  if (isProtected) undo(() => machine.protectDevice(node));
  const remount = (...flags: readonly "ro"[]) =>
    machine.mount({ source: node, target, type: "", flags: ["remount", ...flags], options: "" });
  unlessRefused(
    () => remount(),
    (refusal) => {
      throw problem("store-read-only", { store, node, why: describeRefusal(refusal) });
    },
  );
  undo(() => remount("ro"));
  return shared.type;
}

/** With less, the boot fails later, and the errors do not say that the disk is full. */
const LEAST_FREE_BYTES = 1024 * 1024;

/** Throws BootError if overlayfs cannot keep changes on a filesystem, by its type or its features. */
export function requireSuited(
  machine: Machine,
  { store, device }: Pick<StoreMount, "store" | "device">,
  type: string,
): void {
  const { node } = device;
  const { upperFlaw, findUpperFlaw } = filesystemType(type);
  const flaw =
    upperFlaw ??
    (findUpperFlaw === undefined ? null : orIfRefused(() => withReader(machine, node, findUpperFlaw), null));
  if (flaw !== null) throw problem("store-unsuited", { store, node, type, flaw });
}

/** Throws BootError if no space for changes is left in `directory`. */
export function requireSpace(machine: Machine, store: string, node: string, directory: string): void {
  const { freeBytes } = machine.statFilesystem(directory);
  if (freeBytes < LEAST_FREE_BYTES) {
    throw problem("store-full", { store, node, freeBytes, neededBytes: LEAST_FREE_BYTES });
  }
}

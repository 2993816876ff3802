import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import { listPartitions } from "../devices/drives.ts";
import type { Context } from "../drivers/context.ts";
import type { Loader } from "../drivers/make-loader.ts";
import { describeNoFilesystem, unsupportedLayer } from "../formats/contents.ts";
import { driversOf } from "../formats/filesystems/filesystem-types.ts";
import type { Machine } from "../machine/machine.ts";
import { splitMountOptions } from "../parameters/mount-options.ts";
import type { Role } from "../problems/causes/mount.ts";
import { isErrno, SyscallError } from "../problems/errors.ts";
import { orProblem, problem } from "../problems/problem.ts";
import { describeRefusal } from "../problems/report.ts";
import { createWaitNotice } from "../problems/wait-notice.ts";
import { findMountCause, type Refusal } from "./mount-causes.ts";
import { hasUnreplayedJournal, mountUntouched, readOnly } from "./untouched.ts";

/** A mounted root device. */
export interface MountedDevice {
  /** "/dev/…", or what names a filesystem without a block device. */
  readonly node: string;
  /** The device whose superblock identifies it; null without a block device. */
  readonly superblock: string | null;
  readonly target: string;
  readonly type: string;
  readonly writable: boolean;
  /** True if it lies in an encrypted volume. */
  readonly isInside: boolean;
  readonly facts: BlockDevice["facts"];
}

/** "untouched": it serves only for reading, and not a byte of its device is written. "read-only" is for a root that the real system makes writable later: its journal is replayed. */
export type Access = "writable" | "read-only" | "untouched";

interface MountOrder {
  readonly device: Pick<BlockDevice, "node" | "facts" | "unreadable" | "mountSource">;
  readonly target: string;
  /** Types to try instead of the probed one. */
  readonly types: readonly string[];
  readonly access: Access;
  /** Comma-separated, as in fstab: flags and the filesystem's own options mixed. */
  readonly options: string;
  /** What the hints of a failure are about. */
  readonly role: Role;
  /** What a warning calls it; its node by default. */
  readonly name?: string;
}

const MOST_KERNEL_LINES = 6;

/** Mounts a device as the probed type, or the first of `types` that the kernel accepts; returns that type. Throws BootError with the kernel's refusals. */
export function mountDevice(
  context: Omit<Context, "drivers"> & { readonly drivers: Pick<Loader, "loadFilesystem" | "blocked"> },
  order: MountOrder,
): string {
  const { machine, drivers, undo } = context;
  const { node, facts } = order.device;
  const types = order.types.length > 0 ? order.types : typesOf(machine, order);
  makePlace(machine, order.target);
  const refusals: Refusal[] = [];
  for (const type of types) {
    drivers.loadFilesystem(type, order.options);
    const mark = machine.kernelLogMark(); // after the driver's own messages, which explain no refusal
    try {
      mountAs(context, order, type);
      undo(() => machine.unmount(order.target));
      return type;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      const kernel = machine.kernelLogSince(mark);
      const isUntouched = order.access === "untouched";
      refusals.push({
        type,
        error,
        kernel,
        options: order.options,
        node,
        name: order.name ?? node,
        probed: facts.type,
        isUntouched,
      });
    }
  }
  throw problem("mount-refused", {
    node,
    place: order.target,
    role: order.role,
    hasOptions: order.options !== "",
    refusals: refusals.map((refusal) => ({
      type: refusal.type,
      errno: refusal.error.code,
      why: describeRefusal(refusal.error),
      cause: findMountCause({ machine, drivers }, refusal),
    })),
    kernel: refusals.flatMap(({ kernel }) => kernel.filter(isAboutRefusal)).slice(-MOST_KERNEL_LINES),
  });
}

/** False for what the kernel says of every mount. */
function isAboutRefusal(line: string): boolean {
  return !/^BTRFS (?:info \(|.*: device (?:label|fsid) )|^BTRFS: device /.test(line);
}

type MountContext = Pick<Context, "machine" | "voice" | "undo">;

function mountAs(context: MountContext, order: MountOrder, type: string): void {
  const { machine, voice, undo } = context;
  const { device, target, access } = order;
  const notice = createWaitNotice(voice);
  // A long journal, a large btrfs, or a disk that hangs.
  const onWait = (waitedMs: number) => notice(`${order.name ?? device.node} to be mounted`, waitedMs, null);
  const request = {
    source: device.mountSource ?? device.node,
    target,
    type,
    ...splitMountOptions(order.options),
    onWait,
  };
  if (access === "untouched") {
    undo(mountUntouched(machine, request));
    warnOfJournal(context, order, type);
    return;
  }
  try {
    machine.mount(access === "writable" ? request : readOnly(request));
  } catch (error) {
    if (access !== "writable" || !isErrno(error, "EROFS", "EACCES")) throw error;
    voice.warn(`${device.node} is write-protected, mounting it read-only`);
    machine.mount(readOnly(request));
  }
}

/** Warns if what is read may be older than what was written last. */
function warnOfJournal({ machine, voice }: MountContext, { device, name, role }: MountOrder, type: string): void {
  if (!hasUnreplayedJournal(machine, device.node, type)) return;
  const what = `${name ?? device.node} was not unmounted`;
  const store = role === "store" ? ", and levain sync cannot write there" : "";
  voice.warn(`${what}: levain does not replay its journal, so its newest changes may be missing${store}`);
}

/** Returns what to mount the device as if no type is given. Throws BootError if it holds no filesystem. */
function typesOf(machine: Machine, { device, role }: MountOrder): readonly string[] {
  const { node, facts, unreadable } = device;
  const { type, ambivalent, partitionTable: table } = facts;
  if (unreadable !== null) throw problem("device-unreadable", { node, why: unreadable });
  if (ambivalent.length > 0) {
    const mountable = ambivalent.filter((one) => describeNoFilesystem(one) === null);
    const only = mountable.length === 1 ? (mountable[0] ?? null) : null;
    throw problem("filesystem-ambivalent", { node, types: ambivalent, type: only, role });
  }
  const what = type === null ? null : describeNoFilesystem(type);
  if (what !== null) throw problem("not-a-filesystem", { node, what, layer: unsupportedLayer(type), role });
  if (type !== null) return driversOf(type);
  const partitions = table === null ? [] : listPartitions(machine, node).map(describeDevice);
  throw problem("filesystem-unknown", { node, table, partitions, isUnlocked: isUnlocked(machine, node), role });
}

/** True for the content of an encrypted volume. */
function isUnlocked(machine: Machine, node: string): boolean {
  return machine
    .listMappings()
    .some(({ name, uuid }) => /^CRYPT-(?!VERITY-)/.test(uuid) && node === `/dev/mapper/${name}`);
}

/** Creates a directory that the boot needs. Throws BootError: a classic initrd may be read-only. */
export function makePlace(machine: Machine, place: string): void {
  orProblem("place-missing", { place }, () => machine.makeDirectory(place));
}

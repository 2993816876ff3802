import type { BlockDevice } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import type { Loader } from "../drivers/loader.ts";
import { driversOf } from "../formats/filesystems/filesystem-types.ts";
import type { Machine, MountFlag } from "../machine/machine.ts";
import { splitMountOptions } from "../parameters/mount-options.ts";
import { type BootError, isErrno, SyscallError } from "../problems/errors.ts";
import { orProblem, problem } from "../problems/problem.ts";
import { describeRefusal } from "../problems/report.ts";
import { hasUnreplayedJournal, mountUntouched } from "./untouched.ts";

/** A mounted root device. */
export interface MountedDevice {
  /** "/dev/…". */
  readonly node: string;
  readonly target: string;
  readonly type: string;
  readonly writable: boolean;
  /** True if it lies in an encrypted volume. */
  readonly isInside: boolean;
}

/** "untouched": it serves only for reading, and not a byte of its device is written. "read-only" is for a root that the real system makes writable later: its journal is replayed. */
export type Access = "writable" | "read-only" | "untouched";

interface MountOrder {
  readonly device: Pick<BlockDevice, "node" | "facts" | "unreadable">;
  readonly target: string;
  /** Types to try instead of the probed one. */
  readonly types: readonly string[];
  readonly access: Access;
  /** Comma-separated, as in fstab: flags and the filesystem's own options mixed. */
  readonly options: string;
  /** What the hints of a failure are about. */
  readonly role: "root" | "layer" | "image";
  /** What a warning calls it; its node by default. */
  readonly name?: string;
}

/** The part of the loader that a mount uses. */
export interface FilesystemDrivers {
  readonly drivers: Pick<Loader, "loadFilesystem">;
}

const MOST_KERNEL_LINES = 6;

/** Mounts a device as the probed type, or the first of `types` that the kernel accepts; returns that type. Throws BootError with the kernel's refusals. */
export function mountDevice(context: Omit<Context, "drivers"> & FilesystemDrivers, order: MountOrder): string {
  const { machine, drivers, undo } = context;
  const { type: probed } = order.device.facts;
  const known = probed === null ? [] : driversOf(probed);
  const types = order.types.length > 0 ? order.types : known;
  if (types.length === 0) throw unknownContent(order);
  makePlace(machine, order.target);
  const refusals: SyscallError[] = [];
  const kernel: string[] = [];
  for (const type of types) {
    drivers.loadFilesystem(type, order.options);
    const mark = machine.kernelLogMark(); // after the driver's own messages, which explain no refusal
    try {
      mountAs(context, order, type);
      undo(() => machine.unmount(order.target));
      return type;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      refusals.push(error);
      kernel.push(...machine.kernelLogSince(mark));
    }
  }
  const { device, target, options, role, access } = order;
  throw problem("mount-refused", {
    node: device.node,
    place: target,
    role,
    hasOptions: options !== "",
    refusals: types.map((type, index) => `${type}: ${refusals[index] && describeRefusal(refusals[index])}`),
    kernel: kernel.slice(-MOST_KERNEL_LINES),
    needsReplay: access === "untouched" && refusals.some((refusal) => isErrno(refusal, "EROFS")),
    missing: types.find((_, index) => isErrno(refusals[index], "ENODEV")) ?? null,
  });
}

type MountContext = Pick<Context, "machine" | "voice" | "undo">;

function mountAs(context: MountContext, order: MountOrder, type: string): void {
  const { machine, voice, undo } = context;
  const { device, target, access } = order;
  const { flags, options } = splitMountOptions(order.options);
  const request = { source: device.node, target, type, options, flags };
  if (access === "untouched") {
    undo(mountUntouched(machine, request));
    warnOfJournal(context, order, type);
    return;
  }
  try {
    machine.mount(access === "writable" ? request : { ...request, flags: addReadOnly(flags) });
  } catch (error) {
    if (access !== "writable" || !isErrno(error, "EROFS", "EACCES")) throw error;
    voice.warn(`${device.node} is write-protected, mounting it read-only`);
    machine.mount({ ...request, flags: addReadOnly(flags) });
  }
}

/** Warns if what is read may be older than what was written last. */
function warnOfJournal({ machine, voice }: MountContext, { device, name }: MountOrder, type: string): void {
  if (!hasUnreplayedJournal(machine, device.node, type)) return;
  const what = `${name ?? device.node} was not unmounted`;
  voice.warn(`${what}: levain does not replay its journal, so its newest changes may be missing`);
}

function addReadOnly(flags: readonly MountFlag[]): readonly MountFlag[] {
  return flags.includes("ro") ? flags : [...flags, "ro"];
}

function unknownContent({ device: { node, facts, unreadable }, role }: MountOrder): BootError {
  if (unreadable !== null) return problem("device-unreadable", { node, why: unreadable });
  return problem("filesystem-unknown", { node, table: facts.partitionTable, role });
}

/** Creates a directory that the boot needs. Throws BootError: a classic initrd may be read-only. */
export function makePlace(machine: Machine, place: string): void {
  orProblem("place-missing", { place }, () => machine.makeDirectory(place));
}

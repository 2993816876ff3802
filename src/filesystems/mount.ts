import type { BlockDevice } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import type { Loader } from "../drivers/loader.ts";
import { driversOf } from "../formats/filesystems/filesystem-types.ts";
import type { Machine, MountFlag } from "../machine/machine.ts";
import { splitMountOptions } from "../parameters/mount-options.ts";
import { type BootError, isErrno, SyscallError } from "../problems/errors.ts";
import { orProblem, problem } from "../problems/problem.ts";
import { describeRefusal } from "../problems/report.ts";

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

interface MountOrder {
  readonly device: Pick<BlockDevice, "node" | "facts" | "unreadable">;
  readonly target: string;
  /** Types to try instead of the probed one. */
  readonly types: readonly string[];
  readonly writable: boolean;
  /** Comma-separated, as in fstab: flags and the filesystem's own options mixed. */
  readonly options: string;
  /** What the hints of a failure are about. */
  readonly role: "root" | "layer" | "image";
}

/** The part of the loader that a mount uses. */
export interface FilesystemDrivers {
  readonly drivers: Pick<Loader, "loadFilesystem">;
}

const MOST_KERNEL_LINES = 6;

/** Mounts a device as the probed type, or the first of `types` that the kernel accepts; returns that type. Throws BootError with the kernel's refusals. */
export function mountDevice(
  { machine, drivers, voice, undo }: Omit<Context, "drivers"> & FilesystemDrivers,
  order: MountOrder,
): string {
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
      mountAs(machine, order, type, voice);
      undo(() => machine.unmount(order.target));
      return type;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      refusals.push(error);
      kernel.push(...machine.kernelLogSince(mark));
    }
  }
  const { device, target, options, role } = order;
  throw problem("mount-refused", {
    node: device.node,
    place: target,
    role,
    hasOptions: options !== "",
    refusals: types.map((type, index) => `${type}: ${refusals[index] && describeRefusal(refusals[index])}`),
    kernel: kernel.slice(-MOST_KERNEL_LINES),
    missing: types.find((_, index) => isErrno(refusals[index], "ENODEV")) ?? null,
  });
}

function mountAs(machine: Machine, order: MountOrder, type: string, voice: Context["voice"]): void {
  const { device, target, writable } = order;
  const { flags, options } = splitMountOptions(order.options);
  const request = { source: device.node, target, type, options };
  try {
    machine.mount({ ...request, flags: writable ? flags : addReadOnly(flags) });
  } catch (error) {
    if (!writable || !isErrno(error, "EROFS", "EACCES")) throw error;
    voice.warn(`${device.node} is write-protected, mounting it read-only`);
    machine.mount({ ...request, flags: addReadOnly(flags) });
  }
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

import type { BlockDevice } from "../devices/block-devices.ts";
import type { Machine, MountFlag } from "../machine/machine.ts";
import { BootError, isErrno, SyscallError } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { makePlace } from "./places.ts";

/** Where the root device was mounted, by which type, and whether it may be written. */
export interface MountedDevice {
  /** "/dev/…". */
  readonly node: string;
  readonly target: string;
  readonly type: string;
  readonly writable: boolean;
  /** True where it lies in an encrypted volume. */
  readonly isInside: boolean;
}

/** A device to mount, and how. */
export interface MountOrder {
  readonly device: Pick<BlockDevice, "node" | "facts" | "unreadable">;
  readonly target: string;
  /** Types to try instead of the probed one. */
  readonly types: readonly string[];
  readonly writable: boolean;
  /** Comma-separated, as in fstab: flags and the filesystem's own options mixed. */
  readonly options: string;
  /** What to try where the content is damaged or unknown; left out, it is said for a root device. */
  readonly hint?: string;
}

/** What the mount needs of the module loader: the filesystem's driver. */
export interface FilesystemLoader {
  loadFilesystem(type: string, options?: string): void;
}

const FLAGS: readonly MountFlag[] = [
  ...(["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"] as const),
  ...(["relatime", "strictatime", "lazytime", "sync", "dirsync"] as const),
];
const MOST_KERNEL_LINES = 6;
/** Where the driver is called otherwise than the type: ntfs3 since Linux 5.15, the old one before. */
const DRIVERS: Readonly<Record<string, readonly string[]>> = { ntfs: ["ntfs3", "ntfs"] };
/** Words of fstab that say nothing to mount(2). */
const NO_OPTIONS = [
  "defaults",
  "rw",
  "auto",
  "noauto",
  "nofail",
  "suid",
  "dev",
  "exec",
  "async",
  "nolazytime",
  "_netdev",
  "",
];

/** Mounts by the probed type, or the first of `types` that the kernel takes; returns that type. The kernel's refusal is told in its own words. */
export function mountDevice(machine: Machine, order: MountOrder, modules: FilesystemLoader, voice: Voice): string {
  const types = typesToTry(order);
  if (types.length === 0) throw unknownContent(order);
  makePlace(machine, order.target);
  const refusals: unknown[] = [];
  const kernel: string[] = [];
  for (const type of types) {
    modules.loadFilesystem(type, order.options);
    const mark = machine.kernelLogMark(); // after what the driver says of itself, which explains no refusal
    try {
      mountAs(machine, order, type, voice);
      return type;
    } catch (error) {
      refusals.push(error);
      kernel.push(...machine.kernelLogSince(mark));
    }
  }
  throw refused(order, types, refusals, kernel);
}

/** What the kernel may call the driver of a type, the first to try first. */
export function driversOf(type: string): readonly string[] {
  return DRIVERS[type] ?? [type];
}

function typesToTry({ types, device }: MountOrder): readonly string[] {
  if (types.length > 0) return types;
  const { type } = device.facts;
  return type === null ? [] : driversOf(type);
}

function mountAs(machine: Machine, order: MountOrder, type: string, voice: Voice): void {
  const { device, target, writable } = order;
  const { flags, options } = splitOptions(order.options);
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

/** fstab's mixed list as mount(2) wants it: flags apart from the filesystem's own options. */
export function splitOptions(text: string): { readonly flags: readonly MountFlag[]; readonly options: string } {
  const words = text.split(",");
  const flags = FLAGS.filter((flag) => words.includes(flag));
  const options = words.filter((word) => !FLAGS.some((flag) => flag === word) && !NO_OPTIONS.includes(word));
  return { flags, options: options.join(",") };
}

function refused(
  order: MountOrder,
  types: readonly string[],
  refusals: readonly unknown[],
  kernel: readonly string[],
): BootError {
  const { device, target } = order;
  const said = kernel.slice(-MOST_KERNEL_LINES).map((line) => `kernel: ${line}`);
  const reasons = types.map((type, index) => `${printable(type)}: ${explainRefusal(refusals[index])}`);
  return new BootError(`could not mount ${device.node} at ${target}`, {
    cause: new BootError([...reasons, ...said].join("\n")),
    hint: hintFor(order, types, refusals),
  });
}

/** Throws what is no refusal at all. */
function explainRefusal(error: unknown): string {
  if (error instanceof SyscallError) return describeRefusal(error);
  throw error;
}

function hintFor(order: MountOrder, types: readonly string[], refusals: readonly unknown[]): string {
  const type = types.find((_, index) => isErrno(refusals[index], "ENODEV"));
  if (type !== undefined) {
    return `the module for ${printable(type)} is missing from this image: levain image --module ${printable(type)}`;
  }
  if (order.hint !== undefined) return order.hint;
  if (order.options !== "") return "check rootflags=, or repair the filesystem from the rescue shell or another system";
  return "check it from the rescue shell or another system with fsck, then `levain retry`";
}

function unknownContent({ device: { node, facts, unreadable }, hint }: MountOrder): BootError {
  if (unreadable !== null) {
    const why = new BootError(`its content cannot be read: ${unreadable}`);
    return new BootError(`could not mount ${node}`, { cause: why, hint: "check the disk and its cable, then `exit`" });
  }
  const { partitionTable } = facts;
  const holds = partitionTable === null ? "nothing that levain knows" : `a ${partitionTable} partition table`;
  return new BootError(`could not mount ${node}`, {
    cause: new BootError(`it holds ${holds}, and no type was given`),
    hint: hint ?? "name a partition in root=, or the type with rootfstype=",
  });
}

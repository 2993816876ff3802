import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import type { Loader } from "../../drivers/make-loader.ts";
import type { Mapping, MappingRequest, MappingTarget } from "../../machine/encryption.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone, readText } from "../../machine/small-files.ts";
import { tolerateRefusal, unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, printable } from "../../problems/report.ts";

/** The version of a device-mapper target, as the kernel reports it. */
export type TargetVersion = readonly [number, number, number];

/** Makes sure that the kernel has a device-mapper target, whose module is `dm-TYPE` by default; returns its version. Throws BootError if it has none. */
export function requireTarget(
  { machine, drivers }: Pick<Context, "machine"> & { readonly drivers: Pick<Loader, "loadByName"> },
  type: string,
  module = `dm-${type}`,
): TargetVersion {
  const known = machine.mappingTargetVersion(type);
  if (known !== null) return known;
  drivers.loadByName("dm-mod");
  drivers.loadByName(module);
  const version = machine.mappingTargetVersion(type);
  if (version === null) throw problem("no-mapping-target", { module });
  return version;
}

/**
 * Has the module of a target, `dm-TYPE`, loaded while the user types, because it takes the kernel long. If the image has none, the kernel
 * must have the target already. Throws BootError if it has not: the user should know before typing a passphrase.
 */
export function expectTarget({ machine, drivers }: Pick<Context, "machine" | "drivers">, type: string): void {
  const isExpected = machine.mappingTargetVersion(type) !== null || drivers.loadSoon(`dm-${type}`);
  if (!isExpected) requireTarget({ machine, drivers }, type);
}

/** Creates a device of one target, which the undo of the step removes. Throws BootError with the kernel's log if the kernel refuses. */
export function createMapping(
  context: Pick<Context, "machine" | "voice" | "undo">,
  request: Pick<MappingRequest, "name" | "uuid" | "readOnly">,
  target: Omit<MappingTarget, "startSector">,
): Mapping {
  return createTable(context, { ...request, targets: [{ ...target, startSector: 0 }] });
}

/** Creates a device of several targets in the same way; `flags` are what udev's rules have to know of it besides. */
export function createTable(
  { machine, voice, undo }: Pick<Context, "machine" | "voice" | "undo">,
  request: MappingRequest,
  flags: readonly string[] = [],
): Mapping {
  const { name } = request;
  const mark = machine.kernelLogMark();
  tolerateRefusal(() => forgetTyped(machine, name));
  return unlessRefused(
    () => {
      const mapping = machine.createMapping(request);
      adoptMapping({ machine, voice, undo }, mapping, flags);
      return mapping;
    },
    (error) => {
      const facts = { name: printable(name), errno: error.code, refusal: describeRefusal(error) };
      throw problem("mapping-refused", { ...facts, kernelLog: machine.kernelLogSince(mark) });
    },
  );
}

/** Has the undo of the step remove a device, and tells udev of it; also one that a program of the image has made. */
export function adoptMapping(
  { machine, voice, undo }: Pick<Context, "machine" | "voice" | "undo">,
  mapping: Mapping,
  flags: readonly string[] = [],
): void {
  undo(() => removeMapping(machine, mapping));
  informUdev({ machine, voice }, mapping, flags);
}

/** Returns what the kernel says a device is made of, by its names: of a partition its disk; empty for a disk. */
export function listBelow(machine: Machine, device: string): readonly string[] {
  const directory = `/sys/class/block/${device}`;
  if (machine.stat(`${directory}/slaves`) !== null) return machine.listDirectory(`${directory}/slaves`);
  // An array has partitions of the kernel's: they lie where it lies.
  if (machine.stat(`${directory}/partition`) === null) return [];
  return machine.readLink(directory).split("/").slice(-2, -1);
}

/** Lists the arrays of Linux RAID that the kernel has, by its names. */
export function listArrays(machine: Machine): readonly string[] {
  return listOrNone(machine, "/sys/class/block").filter((name) => /^md\d+$/.test(name));
}

/** True for a device that cannot be written to: a loop device of an image, a CD. */
export function isWriteProtected(machine: Machine, { name }: Pick<BlockDevice, "name">): boolean {
  const path = `/sys/class/block/${name}/ro`;
  return machine.stat(path) !== null && readText(machine, path) === "1";
}

/** Throws BootError if device mapper has a device of one of these names: the user should know before typing a passphrase. */
export function requireFreeNames(machine: Machine, names: readonly string[]): void {
  const taken = machine.listMappings().find(({ name }) => names.includes(name));
  if (taken === undefined) return;
  throw problem("mapping-name-taken", { name: printable(taken.name), device: taken.device });
}

/** Where udev keeps what it knows; /run moves along into the real root. */
export const UDEV_DATA = "/run/udev/data";

/** Removes a device, and what was written down about it. */
export function removeMapping(machine: Machine, { name, device }: Mapping): void {
  const entry = udevEntry(machine, device);
  machine.removeMapping(name);
  if (entry !== null && machine.lstat(entry) !== null) machine.removeFile(entry);
  forgetTyped(machine, name);
}

/**
 * What the tools of lvm2, cryptsetup and multipath set for every device. Without the first, dm.rules treats the device as not set up
 * yet and hides it from systemd; the second says that udev makes the links.
 */
const SET_UP = ["DM_UDEV_PRIMARY_SOURCE_FLAG", "DM_UDEV_DISABLE_LIBRARY_FALLBACK_FLAG"];

/** Writes the entry that udev would have written, had it seen the device appear. */
function informUdev(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  { device }: Mapping,
  flags: readonly string[],
): void {
  unlessRefused(
    () => {
      const entry = udevEntry(machine, device);
      if (entry === null) return;
      machine.makeDirectory(UDEV_DATA);
      const lines = [...SET_UP, ...flags].map((flag) => `E:${flag}=1\n`);
      machine.writeFile(entry, lines.join(""));
    },
    (refusal) => voice.warn(`udev of the real system may not know ${device}: ${describeRefusal(refusal)}`),
  );
}

function udevEntry(machine: Machine, device: string): string | null {
  const path = `/sys/class/block/${device}/dev`;
  return machine.stat(path) === null ? null : `${UDEV_DATA}/b${readText(machine, path)}`;
}

/** An empty file for each device that a typed passphrase has opened, so that `levain unlock` and the boot know of each other's. */
const TYPED = "/run/levain/typed";

/** Remembers that the user opened the device by typing. If that cannot be written, the device counts as opened by a key. */
export function rememberTyped(machine: Machine, name: string): void {
  tolerateRefusal(() => {
    machine.makeDirectory(TYPED);
    machine.writeFile(`${TYPED}/${name}`, "");
  });
}

/** Forgets it, also for a device that dmsetup or stage0 has removed. Throws SyscallError: with a mark that stays, rdshell=keep would keep more open. */
function forgetTyped(machine: Machine, name: string): void {
  const mark = `${TYPED}/${name}`;
  if (machine.lstat(mark) !== null) machine.removeFile(mark);
}

/** True if a typed passphrase has opened the device. */
export function wasTyped(machine: Machine, name: string): boolean {
  return machine.stat(`${TYPED}/${name}`) !== null;
}

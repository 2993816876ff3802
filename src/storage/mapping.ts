import type { Mapping, MappingRequest } from "../machine/encryption.ts";
import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { BootError, isErrno } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import type { Scene } from "./opener.ts";

type Tools = Pick<Scene, "machine" | "voice" | "undo">;

/** What a mapping of one target is made of. */
export interface TargetRequest {
  readonly type: string;
  readonly sectors: number;
  readonly parameters: Uint8Array;
}

/** Makes a device of one target that goes again with the step; udev of the real root is told that it is in use. Throws BootError with the kernel's words where it refuses. */
export function createMapping(
  { machine, voice, undo }: Tools,
  { name, uuid, readOnly }: Pick<MappingRequest, "name" | "uuid" | "readOnly">,
  { type, sectors, parameters }: TargetRequest,
): Mapping {
  const mark = machine.kernelLogMark();
  try {
    const target = { startSector: 0, sectors, type, parameters };
    forgetTyped(machine, name);
    const mapping = machine.createMapping({ name, uuid, readOnly, targets: [target] });
    undo(() => removeMapping(machine, mapping));
    tellUdev({ machine, voice }, mapping);
    return mapping;
  } catch (error) {
    if (!isErrno(error)) throw error;
    const said = machine.kernelLogSince(mark).map((line) => `kernel: ${line}`);
    throw new BootError(`the kernel does not make /dev/mapper/${printable(name)}`, {
      cause: new BootError([REASONS[error.code] ?? describeRefusal(error), ...said].join("\n")),
      hint: HINTS[error.code] ?? "see what the kernel says: dmesg",
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EBUSY: "the name is taken, or the device below it is in use (EBUSY)",
  ENOENT: "it does not have the cipher (ENOENT)",
  ENXIO: "the device below it is not there any more (ENXIO)",
  EINVAL: "it does not take the table (EINVAL)",
};
const HINTS: Readonly<Record<string, string>> = {
  EBUSY: "see `levain devices`; what nobody needs goes with dmsetup remove",
  ENOENT:
    "add the cipher's modules to the image, all in /lib/modules/VERSION/kernel/crypto: levain image --module NAME",
};

/** True where a mapping was made of the device with that kernel name: directly, or with libcryptsetup's dm-integrity device between. */
export function isMadeOf(machine: Machine, { device }: Mapping, name: string): boolean {
  return listBelow(machine, device).some(
    (below) => below === name || (isIntegrityPart(machine, below) && listBelow(machine, below).includes(name)),
  );
}

/** What the kernel says a device is made of, by its names; empty for a disk. */
export function listBelow(machine: Machine, device: string): readonly string[] {
  const path = `/sys/class/block/${device}/slaves`;
  return machine.stat(path) === null ? [] : machine.listDirectory(path);
}

function isIntegrityPart(machine: Machine, device: string): boolean {
  const path = `/sys/class/block/${device}/dm/uuid`;
  return machine.stat(path) !== null && /^CRYPT-(?:SUBDEV|INTEGRITY)-/.test(readText(machine, path));
}

/** Throws BootError where device mapper has a device of one of these names: worth to know before a person is asked. */
export function requireFreeNames(machine: Machine, names: readonly string[]): void {
  const taken = machine.listMappings().find(({ name }) => names.includes(name));
  if (taken === undefined) return;
  throw new BootError(`the name ${printable(taken.name)} is taken by another device, ${taken.device}`, {
    hint: "give it another one, as rd.luks.name=UUID=NAME, or `levain unlock DEVICE --name NAME`",
  });
}

/** Where udev keeps what it knows; /run moves along into the real root. */
const UDEV_DATA = "/run/udev/data";

/** Removes a device, and what was written down of it. */
export function removeMapping(machine: Machine, { name, device }: Mapping): void {
  const entries = [udevEntry(machine, device), `${TYPED}/${name}`];
  machine.removeMapping(name);
  for (const entry of entries) if (entry !== null && machine.lstat(entry) !== null) machine.removeFile(entry);
}

/** An empty file for each device that a passphrase has opened, so that `levain unlock` and the boot know of one another. */
const TYPED = "/run/levain/typed";

/** Remembers that a person has opened the device. Where that cannot be written, it counts as opened by a key. */
export function rememberTyped(machine: Machine, name: string): void {
  try {
    machine.makeDirectory(TYPED);
    machine.writeFile(`${TYPED}/${name}`, "");
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

/** One of that name may have gone by dmsetup, or by stage0. A mark that cannot be removed costs nothing but rdshell=keep its sense. */
function forgetTyped(machine: Machine, name: string): void {
  const mark = `${TYPED}/${name}`;
  try {
    if (machine.lstat(mark) !== null) machine.removeFile(mark);
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

/** True where a passphrase has opened the device. */
export function wasTyped(machine: Machine, name: string): boolean {
  return machine.stat(`${TYPED}/${name}`) !== null;
}

/** 10-dm.rules takes a device without this for one that is not set up yet, and hides it from systemd. */
function tellUdev({ machine, voice }: Pick<Tools, "machine" | "voice">, { device }: Mapping): void {
  try {
    const entry = udevEntry(machine, device);
    if (entry === null) return;
    machine.makeDirectory(UDEV_DATA);
    machine.writeFile(entry, "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\n");
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`udev of the real system may not know ${device}: ${describeRefusal(error)}`);
  }
}

function udevEntry(machine: Machine, device: string): string | null {
  const path = `/sys/class/block/${device}/dev`;
  return machine.stat(path) === null ? null : `${UDEV_DATA}/b${readText(machine, path)}`;
}

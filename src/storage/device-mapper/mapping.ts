import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import type { Mapping, MappingRequest } from "../../machine/encryption.ts";
import type { Machine } from "../../machine/machine.ts";
import { readText } from "../../machine/small-files.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, printable } from "../../problems/report.ts";
import { forgetTyped } from "./typed.ts";

/** What a mapping of one target is made of. */
export interface TargetRequest {
  readonly type: string;
  readonly sectors: number;
  readonly parameters: Uint8Array;
}

/** Creates a device of one target, which the undo of the step removes. Throws BootError with the kernel's log if the kernel refuses. */
export function createMapping(
  { machine, voice, undo }: Pick<Context, "machine" | "voice" | "undo">,
  { name, uuid, readOnly }: Pick<MappingRequest, "name" | "uuid" | "readOnly">,
  { type, sectors, parameters }: TargetRequest,
): Mapping {
  const mark = machine.kernelLogMark();
  unlessRefused(
    () => forgetTyped(machine, name),
    () => undefined,
  );
  return unlessRefused(
    () => {
      const target = { startSector: 0, sectors, type, parameters };
      const mapping = machine.createMapping({ name, uuid, readOnly, targets: [target] });
      undo(() => removeMapping(machine, mapping));
      informUdev({ machine, voice }, mapping);
      return mapping;
    },
    (error) => {
      const facts = { name: printable(name), errno: error.code, refusal: describeRefusal(error) };
      throw problem("mapping-refused", { ...facts, kernelLog: machine.kernelLogSince(mark) });
    },
  );
}

/** Returns what the kernel says a device is made of, by its names; empty for a disk. */
export function listBelow(machine: Machine, device: string): readonly string[] {
  const path = `/sys/class/block/${device}/slaves`;
  return machine.stat(path) === null ? [] : machine.listDirectory(path);
}

/** True for a device that cannot be written to: a loop device of an image, a CD. */
export function isWriteProtected(machine: Machine, { name }: Pick<BlockDevice, "name">): boolean {
  const path = `/sys/class/block/${name}/ro`;
  return machine.stat(path) !== null && readText(machine, path) === "1";
}

/** Throws BootError if device mapper has a device of one of these names: the user should know before typing a passphrase. */
export function requireFreeNames(machine: Machine, names: readonly string[]): void {
  const taken = machine.listMappings().find(({ name }) => names.includes(name));
  if (taken !== undefined) {
    throw problem("mapping-name-taken", { name: printable(taken.name), device: taken.device });
  }
}

/** Where udev keeps what it knows; /run moves along into the real root. */
const UDEV_DATA = "/run/udev/data";

/** Removes a device, and what was written down about it. */
export function removeMapping(machine: Machine, { name, device }: Mapping): void {
  const entry = udevEntry(machine, device);
  machine.removeMapping(name);
  if (entry !== null && machine.lstat(entry) !== null) machine.removeFile(entry);
  forgetTyped(machine, name);
}

/** Without this entry, 10-dm.rules treats the device as not set up yet and hides it from systemd. */
function informUdev({ machine, voice }: Pick<Context, "machine" | "voice">, { device }: Mapping): void {
  unlessRefused(
    () => {
      const entry = udevEntry(machine, device);
      if (entry === null) return;
      machine.makeDirectory(UDEV_DATA);
      machine.writeFile(entry, "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\n");
    },
    (refusal) => voice.warn(`udev of the real system may not know ${device}: ${describeRefusal(refusal)}`),
  );
}

function udevEntry(machine: Machine, device: string): string | null {
  const path = `/sys/class/block/${device}/dev`;
  return machine.stat(path) === null ? null : `${UDEV_DATA}/b${readText(machine, path)}`;
}

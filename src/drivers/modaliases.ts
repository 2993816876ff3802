import { readText } from "../devices/block-devices.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";

/** A device of /sys/bus and what it asks a driver for. */
export interface Modalias {
  /** Its directory, as /sys/bus/pci/devices/0000:00:1f.2. */
  readonly directory: string;
  readonly modalias: string;
}

/**
 * Buses that are not asked. "cpu" would load every accelerated cipher there is, which come when their cipher is asked
 * for; the others have hundreds of devices and no modalias.
 */
const SILENT_BUSES = [
  "cpu",
  "memory",
  "node",
  "clocksource",
  "clockevents",
  "workqueue",
  "event_source",
  "machinecheck",
  "container",
];

/** True where the modaliases of these devices are worth a look. */
export function isAsked(bus: string): boolean {
  return !SILENT_BUSES.includes(bus);
}

/** Buses whose drivers are loaded before the others are even read: most disks of today hang on one of them. */
export const FIRST_BUSES: readonly string[] = ["pci", "virtio", "vmbus", "xen"];

/** Every bus of the machine that is worth a look. */
export function listBuses(machine: Machine): readonly string[] {
  return listOrNone(machine, "/sys/bus").filter(isAsked);
}

/** Every device of these buses that says what it is. */
export function listModaliases(machine: Machine, buses: readonly string[]): readonly Modalias[] {
  return buses.flatMap((bus) => {
    const devices = `/sys/bus/${bus}/devices`;
    return listOrNone(machine, devices).flatMap((name) => readModalias(machine, `${devices}/${name}`));
  });
}

function listOrNone(machine: Machine, directory: string): readonly string[] {
  try {
    return machine.listDirectory(directory);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

function readModalias(machine: Machine, directory: string): readonly Modalias[] {
  try {
    const modalias = readText(machine, `${directory}/modalias`);
    return modalias === "" ? [] : [{ directory, modalias }];
  } catch (error) {
    // Hubs, hosts and the like have none; a device may go away, and a few answer EINVAL when they are half there.
    if (isErrno(error, "ENOENT", "ENODEV", "ENXIO", "ENOTDIR", "EINVAL")) return [];
    throw error;
  }
}

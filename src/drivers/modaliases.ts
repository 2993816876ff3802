import type { Machine } from "../machine/machine.ts";
import { listOrNone, readText } from "../machine/small-files.ts";
import { orIfRefused } from "../problems/errors.ts";

/** A device of /sys/bus that needs a driver. */
export interface Modalias {
  /** Its directory, as /sys/bus/pci/devices/0000:00:1f.2. */
  readonly directory: string;
  readonly modalias: string;
}

/**
 * Buses that are skipped. "cpu" would load every accelerated cipher, which the kernel requests when it needs one; the others have
 * hundreds of devices and no modalias.
 */
const SILENT_BUSES = "cpu memory node clocksource clockevents workqueue event_source machinecheck container".split(" ");

/** Returns true for a bus whose devices name drivers that a boot may need. */
export function needsDrivers(bus: string): boolean {
  return !SILENT_BUSES.includes(bus);
}

/** Buses whose drivers are loaded before the other buses are read: most disks are on one of them. */
export const FIRST_BUSES: readonly string[] = ["pci", "virtio", "vmbus", "xen"];

/** Lists the buses of the machine whose devices name drivers. */
export function listBuses(machine: Machine): readonly string[] {
  return listOrNone(machine, "/sys/bus").filter(needsDrivers);
}

/** Lists the devices of these buses that have a modalias. */
export function listModaliases(machine: Machine, buses: readonly string[]): readonly Modalias[] {
  return buses.flatMap((bus) => {
    const devices = `/sys/bus/${bus}/devices`;
    return listOrNone(machine, devices).flatMap((name) => readModalias(machine, `${devices}/${name}`));
  });
}

function readModalias(machine: Machine, directory: string): readonly Modalias[] {
  // Hubs and hosts have none; a device may be removed meanwhile, and a few return EINVAL before they are complete.
  const refusals = ["ENOENT", "ENODEV", "ENXIO", "ENOTDIR", "EINVAL"];
  const modalias = orIfRefused(() => readText(machine, `${directory}/modalias`), "", ...refusals);
  return modalias === "" ? [] : [{ directory, modalias }];
}

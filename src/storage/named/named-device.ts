import { type BlockDevice, listBlockDeviceNames, namePartition } from "../../devices/block-devices.ts";
import { listLinks } from "../../devices/persistent-names.ts";
import { readBlockDevices } from "../../devices/read-devices.ts";
import type { Machine } from "../../machine/machine.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import { matchDevices } from "../match.ts";

/** How long a device that was named is waited for: its driver may have been loaded just now. */
const PATIENCE_MS = 5000;
const LOOK_MS = 250;

/** Reads what the devices hold, outside the search for the root; waits for one that was named. */
export function readDevicesFor(machine: Machine, named: DeviceSpec | null): readonly BlockDevice[] {
  const endMs = machine.nowMs() + PATIENCE_MS;
  for (;;) {
    const { devices } = readBlockDevices(machine, listBlockDeviceNames(machine));
    const isThere = named === null || matchNamed(machine, named, devices).length > 0;
    if (isThere || machine.nowMs() >= endMs) return devices;
    machine.sleepMs(LOOK_MS);
  }
}

/** Returns the devices that have the name; none for one that the content of a filesystem names. */
export function matchNamed(
  machine: Machine,
  spec: DeviceSpec,
  devices: readonly BlockDevice[],
): readonly BlockDevice[] {
  return matchDevices(spec, devices, {
    name: (device) => namePartition(machine, device),
    links: (device) => listLinks(machine, device),
    holds: () => false,
  });
}

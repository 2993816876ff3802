import {
  type BlockDevice,
  isWorthProbing,
  listBlockDeviceNames,
  namePartition,
  readBlockDevice,
} from "../devices/block-devices.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import type { Look } from "./match.ts";

/** The block devices that are there, by the kernel's name. */
export type Inventory = Map<string, BlockDevice>;

/**
 * Follows what uevents of the block subsystem say of one device, the oldest first: it is probed at most once, however many there
 * are. One that was seen before is probed when the kernel says that it changed; one that was removed meanwhile is another device.
 */
export function followDevice(machine: Machine, inventory: Inventory, events: readonly DeviceEvent[]): void {
  const last = events.at(-1);
  if (last === undefined) return;
  const name = last.devpath.slice(last.devpath.lastIndexOf("/") + 1);
  if (events.some(({ action }) => action === "remove")) inventory.delete(name);
  if (last.action === "remove" || !isWorthProbing(name)) return;
  const isKnown = inventory.has(name) && events.every(({ action }) => action === "add");
  if (!isKnown) lookAt(machine, inventory, name);
}

/** Probes one device, by the kernel's name. */
export function lookAt(machine: Machine, inventory: Inventory, name: string): void {
  const device = readBlockDevice(machine, name);
  if (device === null) inventory.delete(name);
  // One that changed in nothing stays the same object: what is known of it holds.
  else if (!Bun.deepEquals(inventory.get(name), device)) inventory.set(name, device);
}

/** Makes the inventory what /sys says now. */
export function scanDevices(machine: Machine, inventory: Inventory): void {
  const present = listBlockDeviceNames(machine);
  for (const name of inventory.keys()) if (!present.includes(name)) inventory.delete(name);
  for (const name of present) lookAt(machine, inventory, name);
}

/** Partition tables are read once for each partition, and only when a spec asks for what is in them. */
export function createNamer(machine: Machine): Look["name"] {
  const known = new WeakMap<BlockDevice, ReturnType<Look["name"]>>();
  return (device) => {
    const name = known.get(device) ?? namePartition(machine, device);
    known.set(device, name);
    return name;
  };
}

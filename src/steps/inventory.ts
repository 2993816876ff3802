import type { DeviceEvent, Machine } from "../machine/machine.ts";
import {
  type BlockDevice,
  isWorthProbing,
  listBlockDeviceNames,
  namePartition,
  readBlockDevice,
} from "./block-devices.ts";
import type { Look } from "./match.ts";

/** The block devices that are there, by the kernel's name. */
export type Inventory = Map<string, BlockDevice>;

/** Follows a uevent of the block subsystem; each device is probed once, and again when the kernel says that it changed. */
export function updateDevice(machine: Machine, inventory: Inventory, event: DeviceEvent): void {
  const name = event.devpath.slice(event.devpath.lastIndexOf("/") + 1);
  if (event.action === "remove") {
    inventory.delete(name);
  } else if (isWorthProbing(name) && !(event.action === "add" && inventory.has(name))) {
    add(machine, inventory, name);
  }
}

/** Makes the inventory what /sys says now. */
export function scanDevices(machine: Machine, inventory: Inventory): void {
  const present = listBlockDeviceNames(machine);
  for (const name of inventory.keys()) if (!present.includes(name)) inventory.delete(name);
  for (const name of present) add(machine, inventory, name);
}

function add(machine: Machine, inventory: Inventory, name: string): void {
  const device = readBlockDevice(machine, name);
  if (device === null) inventory.delete(name);
  // One that changed in nothing stays the same object: what is known of it holds.
  else if (!Bun.deepEquals(inventory.get(name), device)) inventory.set(name, device);
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

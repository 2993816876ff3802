import {
  type BlockDevice,
  isWorthProbing,
  listBlockDeviceNames,
  namePartition,
  readBlockDevice,
} from "../devices/block-devices.ts";
import { groupByDevice, takeQueuedEvents } from "../devices/device-events.ts";
import type { Context } from "../drivers/context.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { printable } from "../problems/report.ts";
import type { Look } from "./match.ts";

/** The block devices that are present, by the kernel's name. */
export type Inventory = Map<string, BlockDevice>;

/** How often in a row events are taken after those that made drivers load: what these find is to be seen at once. */
const MOST_TURNS = 4;

/** Handles the uevents that have happened by now, after a wait for the first of them if there is none: of block devices in the inventory, of others by their drivers. */
export function followEvents(context: Context, inventory: Inventory, timeoutMs: number): void {
  const { machine } = context;
  const first = timeoutMs > 0 ? machine.nextDeviceEvent(timeoutMs) : null;
  let events = [...(first === null ? [] : [first]), ...takeQueuedEvents(machine)];
  for (let turn = 1; events.length > 0; turn++) {
    followOnce(context, inventory, events);
    const isDone = turn === MOST_TURNS || events.every(({ subsystem }) => subsystem === "block");
    events = isDone ? [] : [...takeQueuedEvents(machine)];
  }
}

function followOnce({ machine, drivers, voice }: Context, inventory: Inventory, events: readonly DeviceEvent[]): void {
  for (const group of groupByDevice(events)) {
    const actions = [...new Set(group.map(({ action }) => action))].join(", ");
    const count = group.length === 1 ? "" : ` (${group.length} events)`;
    voice.debug(`uevent ${actions} ${printable(group[0]?.devpath ?? "")}${count}`);
    if (group[0]?.subsystem === "block") followDevice(machine, inventory, group);
    else for (const event of group) drivers.handleEvent(event);
  }
  // The kernel dropped uevents: what is in /sys now is the truth.
  if (events.some(({ action }) => action === "overflow")) {
    scanDevices(machine, inventory);
    drivers.coldplug();
  }
}

/**
 * Follows the events of one block device, the oldest first: it is probed at most once, however many there are. A known device is
 * probed if the kernel says that it changed; if it was removed meanwhile, it is another device.
 */
function followDevice(machine: Machine, inventory: Inventory, events: readonly DeviceEvent[]): void {
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
  // A device that has not changed stays the same object, so that what is known of it still holds.
  else if (!Bun.deepEquals(inventory.get(name), device)) inventory.set(name, device);
}

/** Brings the inventory up to date with /sys. */
export function scanDevices(machine: Machine, inventory: Inventory): void {
  const present = listBlockDeviceNames(machine);
  for (const name of inventory.keys()) if (!present.includes(name)) inventory.delete(name);
  for (const name of present) lookAt(machine, inventory, name);
}

/** Returns the reader of names: a partition table is read once for each partition, and only if a spec asks for what is in it. */
export function createNamer(machine: Machine): Look["name"] {
  const known = new WeakMap<BlockDevice, ReturnType<Look["name"]>>();
  return (device) => {
    const name = known.get(device) ?? namePartition(machine, device);
    known.set(device, name);
    return name;
  };
}

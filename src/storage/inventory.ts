import { type BlockDevice, isWorthProbing, namePartition } from "../devices/block-devices.ts";
import { groupByDevice, takeQueuedEvents } from "../devices/device-events.ts";
import type { Inventory } from "../devices/inventory.ts";
import { rememberEach } from "../devices/remember.ts";
import { MANY } from "../devices/turns.ts";
import type { Context } from "../drivers/context.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { printable } from "../problems/report.ts";
import type { DeviceProbes } from "./device-probes.ts";
import type { Look } from "./match.ts";

/** How often in a row events are taken after those that made drivers load: what these find is to be seen at once. */
const MOST_TURNS = 4;
/** While many devices have not answered, their answers are taken together: a round for each of hundreds would take minutes. */
const TOGETHER_MS = 50;

/**
 * Handles the uevents that have happened by now, after a wait for the first of them if there is none: of block devices in the inventory,
 * of others by their drivers. The wait goes on after events that change nothing for a search, and after an answer for a moment if many
 * devices have not answered: `isFound` says that what is looked for has.
 */
export function followEvents(
  context: Context,
  probes: DeviceProbes,
  timeoutMs: number,
  isFound: () => boolean = () => false,
): void {
  const { machine } = context;
  const deadlineMs = machine.nowMs() + timeoutMs;
  for (let leftMs = timeoutMs; ; leftMs = deadlineMs - machine.nowMs()) {
    const first = leftMs > 0 ? machine.nextDeviceEvent(leftMs) : null;
    const events = [...(first === null ? [] : [first]), ...takeQueuedEvents(machine)];
    const hadNews = followAll(context, probes, events);
    // null: the time is up, or another process has answered.
    if (first === null || hadNews) break;
  }
  context.drivers.advance();
  probes.advance();
  const restMs = Math.min(TOGETHER_MS, deadlineMs - machine.nowMs());
  if (timeoutMs === 0 || restMs <= 0 || probes.unanswered().length < MANY || isFound()) return;
  machine.sleepMs(restMs);
  probes.advance();
}

/** A SCSI disk alone makes nine events: of its target, its generic device, its queues. */
function isNews({ action, subsystem, properties }: DeviceEvent): boolean {
  return subsystem === "block" || action === "overflow" || (action === "add" && properties["MODALIAS"] !== undefined);
}

/** Handles these events, and those that come meanwhile: their drivers cause some. Returns true if any of them may change a search. */
function followAll(context: Context, probes: DeviceProbes, first: readonly DeviceEvent[]): boolean {
  let events = first;
  let hadNews = false;
  for (let turn = 1; events.length > 0; turn++) {
    followOnce(context, probes, events);
    hadNews ||= events.some(isNews);
    const isDone = turn === MOST_TURNS || events.every(({ subsystem }) => subsystem === "block");
    events = isDone ? [] : takeQueuedEvents(context.machine);
  }
  return hadNews;
}

function followOnce({ drivers, voice }: Context, probes: DeviceProbes, events: readonly DeviceEvent[]): void {
  const changed: string[] = [];
  for (const group of groupByDevice(events)) {
    const actions = [...new Set(group.map(({ action }) => action))].join(", ");
    const count = group.length === 1 ? "" : ` (${group.length} events)`;
    voice.debug(`uevent ${actions} ${printable(group[0]?.devpath ?? "")}${count}`);
    if (group[0]?.subsystem === "block") changed.push(...followDevice(probes, group));
    else for (const event of group) drivers.handleEvent(event);
  }
  probes.lookAll(changed);
  // The kernel dropped uevents: what is in /sys now is the truth.
  if (events.some(({ action }) => action === "overflow")) {
    probes.scan();
    drivers.coldplug();
  }
}

/**
 * Follows the events of one block device, the oldest first, and returns its name if it is to be probed: at most once, however many
 * events there are. A known device is probed if the kernel says that it changed; if it was removed meanwhile, it is another device.
 */
function followDevice(probes: DeviceProbes, events: readonly DeviceEvent[]): readonly string[] {
  const last = events.at(-1);
  if (last === undefined) return [];
  const name = last.devpath.slice(last.devpath.lastIndexOf("/") + 1);
  if (events.some(({ action }) => action === "remove")) probes.forget(name);
  if (last.action === "remove" || !isWorthProbing(name)) return [];
  const isKnown =
    (probes.inventory.has(name) || probes.isUnderWay(name)) && events.every(({ action }) => action === "add");
  return isKnown ? [] : [name];
}

const NAMELESS = { uuid: null, label: null, autoType: null };

/**
 * Returns the reader of names: a partition table is read once for each partition, and only if a spec asks for what is in it. While
 * the disk has not answered, its table is not read: the read would wait as long as the disk does.
 */
export function createNamer(machine: Machine, inventory: Inventory): Look["name"] {
  const nameOf = rememberEach((device: BlockDevice) => namePartition(machine, device));
  return (device) => (device.partition !== null && !inventory.has(device.partition.disk) ? NAMELESS : nameOf(device));
}

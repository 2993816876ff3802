import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { readText } from "./block-devices.ts";

/** Number of the kernel's newest uevent (kernel/ksysfs.c); each uevent has its own as SEQNUM. */
const NEWEST_NUMBER = "/sys/kernel/uevent_seqnum";
/** Taken at once where the kernel does not say which is the newest. */
const MOST_UNNUMBERED = 4096;

/**
 * The uevents that have happened by now, the oldest first. Later ones stay queued: a device that reports changes faster than
 * they are handled would otherwise hold up the boot without end.
 */
export function takeQueuedEvents(machine: Machine): readonly DeviceEvent[] {
  const newest = readNewestNumber(machine);
  const most = newest === null ? MOST_UNNUMBERED : Number.POSITIVE_INFINITY;
  const events: DeviceEvent[] = [];
  let losses = 0;
  while (events.length < most && losses < 2) {
    const event = machine.nextDeviceEvent(0);
    if (event === null) break;
    events.push(event);
    if (event.action === "overflow") losses += 1;
    if (newest !== null && Number(event.properties["SEQNUM"]) >= newest) break;
  }
  return events;
}

/** null where /sys is not mounted. */
function readNewestNumber(machine: Machine): number | null {
  if (machine.stat(NEWEST_NUMBER) === null) return null;
  const number = Number(readText(machine, NEWEST_NUMBER));
  return Number.isSafeInteger(number) ? number : null;
}

/** The events of each device or other object, by its path in /sys, in the order in which the first of each came. */
export function groupByDevice(events: readonly DeviceEvent[]): readonly (readonly DeviceEvent[])[] {
  return [...Map.groupBy(events, ({ devpath }) => devpath).values()];
}

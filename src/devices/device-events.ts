import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";

/** The number of the kernel's newest uevent (kernel/ksysfs.c), the SEQNUM of that event. */
const NEWEST_NUMBER = "/sys/kernel/uevent_seqnum";
/** The limit if the kernel does not say which is the newest. */
const MOST_UNNUMBERED = 4096;

/**
 * Returns the uevents that have happened by now, the oldest first. Later ones stay queued: a device that reports changes faster
 * than they are handled would otherwise block the boot.
 */
export function takeQueuedEvents(machine: Machine): readonly DeviceEvent[] {
  const events: DeviceEvent[] = [];
  let event = machine.nextDeviceEvent(0);
  // Most looks find none, and need no number.
  const newest = event === null ? null : readNewestNumber(machine);
  const most = newest === null ? MOST_UNNUMBERED : Number.POSITIVE_INFINITY;
  let losses = 0;
  for (; event !== null; event = machine.nextDeviceEvent(0)) {
    events.push(event);
    if (event.action === "overflow") losses += 1;
    if (events.length >= most || losses > 1) break;
    if (newest !== null && Number(event.properties["SEQNUM"]) >= newest) break;
  }
  return events;
}

/** null if /sys is not mounted. */
function readNewestNumber(machine: Machine): number | null {
  if (machine.stat(NEWEST_NUMBER) === null) return null;
  const number = Number(readText(machine, NEWEST_NUMBER));
  return Number.isSafeInteger(number) ? number : null;
}

/** Groups events by the path of their object in /sys, in the order of the first event of each. */
export function groupByDevice(events: readonly DeviceEvent[]): readonly (readonly DeviceEvent[])[] {
  return [...Map.groupBy(events, ({ devpath }) => devpath).values()];
}

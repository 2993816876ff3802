import { isSamePlace, type ReadPlace } from "../machine/async.ts";
import type { DeviceEntry } from "./block-devices.ts";

/** What decides where a device is read. */
type Shape = Pick<DeviceEntry, "sizeBytes" | "area">;

/** What the probes of one search have in common: where devices of the same size and kind are read. */
export interface ReadHabit {
  /** The places that the probe of this device reads, most likely: its head, and those of others of its kind. */
  placesFor(entry: Shape): readonly ReadPlace[];
  learn(entry: Shape, places: readonly ReadPlace[]): void;
}

/** The probe reads this much first (`Area.head`). */
export const HEAD_BYTES = 33 * 1024;
/** Longer pieces are read of few devices. */
const MOST_BYTES = 4096;

const keyOf = ({ sizeBytes, area }: Shape) => `${sizeBytes} ${area.kind} ${area.sectorSize}`;
const NOWHERE: ReadPlace = { offset: -1, length: 0 };

/**
 * Creates it. A server has many disks of a few sizes: what is known to be read of the next one is asked for at once, with one order
 * to a worker instead of two, and with one pass of the probe.
 */
export function createReadHabit(): ReadHabit {
  /** Each list stays the same array while it holds, so that the orders of a worker are encoded once. */
  const known = new Map<string, readonly [head: ReadPlace, ...far: ReadPlace[]]>();
  const learnt = new Set<string>();
  return {
    placesFor(entry) {
      const key = keyOf(entry);
      const places = known.get(key) ?? [headOf(entry)];
      known.set(key, places);
      return places;
    },
    learn(entry, places) {
      const key = keyOf(entry);
      const [head, ...before] = known.get(key) ?? [headOf(entry)];
      // Only what is read of all of them: nothing is read in advance that the content of one has led to.
      const far = places.filter(({ offset, length }) => offset >= HEAD_BYTES && length <= MOST_BYTES);
      // Mostly they are the same in the same order, which costs no search for each.
      const isRead = (place: ReadPlace, index: number) =>
        isSamePlace(place, far[index] ?? NOWHERE) || far.some((other) => isSamePlace(place, other));
      const common = learnt.has(key) ? before.filter(isRead) : far;
      if (!learnt.has(key) || common.length < before.length) known.set(key, [head, ...common]);
      learnt.add(key);
    },
  };
}

/** The size of a medium that the kernel has not looked at yet is 0. */
function headOf({ sizeBytes }: Shape): ReadPlace {
  return { offset: 0, length: sizeBytes > 0 ? Math.min(HEAD_BYTES, sizeBytes) : HEAD_BYTES };
}

import type { ByteSource, Facts } from "../formats/facts.ts";
import { probe } from "../formats/probe.ts";
import type { ReadPlace } from "../machine/async.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno, type SyscallError, tolerateRefusal } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import { formatBytes } from "../problems/size.ts";
import { type BlockDevice, type DeviceEntry, readDeviceEntry } from "./block-devices.ts";
import { type AnswerLimit, createPatientSource, NoAnswerError, type PatientSource } from "./patient-source.ts";
import { HEAD_BYTES, type ReadHabit } from "./read-habit.ts";

/** A device that has not answered for this long is slow: it is named, and nothing waits for it any longer. */
export const SLOW_MS = 1000;

/** The probe of one device: it takes as long as the device does, and other devices are probed meanwhile. */
export interface DeviceProbe {
  readonly entry: DeviceEntry;
  /** When it began, as `Clock.nowMs`. */
  readonly startMs: number;
  begin(): void;
  /** Continues for at most `waitMs`, or until the first answer. Returns the device, "gone" if it was removed or holds no medium, or null if it has not answered yet. */
  advance(waitMs: number, limit?: AnswerLimit): BlockDevice | "gone" | null;
  answers(): number;
  bytesRead(): number;
  close(): void;
}

const NOTHING: Facts = { type: null, label: null, uuid: null, partitionTable: null, ambivalent: [] };
/** Errors of a device that was removed. */
const GONE = ["ENOENT", "ENODEV", "ENXIO"] as const;
/**
 * A device that has not answered for this long is asked once more, by another process, before it counts as slow: twice, in guests on a
 * busy host, a read never returned, and the disk was well.
 */
const AGAIN_MS = 800;
/** Devices that the boot makes, and may remove again. */
const MADE = /^(?:dm-|md|loop)/;

/** Makes the probe of a device, by the kernel's name; null if it is gone or empty. */
export function startProbe(
  machine: Machine,
  name: string,
  habit: ReadHabit,
  startMs = machine.nowMs(),
): DeviceProbe | null {
  const entry = readDeviceEntry(machine, name);
  if (entry === null) return null;
  const first = habit.placesFor(entry);
  const source = createPatientSource(machine, entry.node, {
    isOptical: entry.area.kind === "optical",
    first,
    isBrief: first.length > 1,
    mayLinger: !MADE.test(name),
  });
  let againMs = machine.nowMs() + AGAIN_MS;

  const attempt = (waitMs: number, limit: AnswerLimit) => {
    source.allow(waitMs, limit);
    return tryToExamine(entry, source, habit);
  };
  return {
    entry,
    startMs,
    // What is refused is refused again, and then reported.
    begin: () => tolerateRefusal(source.begin),
    advance(waitMs, limit = "all answers") {
      const leftMs = Math.max(0, againMs - machine.nowMs());
      const device = attempt(Math.min(waitMs, leftMs), limit);
      if (device !== null || waitMs < leftMs) return device;
      againMs = Number.POSITIVE_INFINITY;
      source.askAgain();
      return attempt(waitMs - leftMs, limit);
    },
    answers: source.answers,
    bytesRead: source.bytesRead,
    close: source.close,
  };
}

/** null if it has not answered. */
function tryToExamine(entry: DeviceEntry, source: PatientSource, habit: ReadHabit): BlockDevice | "gone" | null {
  try {
    return examine(entry, source, habit);
  } catch (error) {
    if (error instanceof NoAnswerError) return null;
    if (!isErrno(error)) throw error;
    // Of an optical drive the report says that it is empty: a person may have meant to insert the disc.
    const isEmpty = entry.area.kind !== "optical" && isErrno(error, "ENOMEDIUM");
    if (isEmpty || isErrno(error, ...GONE)) return "gone";
    return toDevice(entry, entry.sizeBytes, NOTHING, error);
  }
}

/** Probes the device with what it has returned so far. Throws NoAnswerError, or SyscallError if it cannot be read at all. */
function examine(
  entry: DeviceEntry,
  { size: readSize, gather, refusal }: PatientSource,
  habit: ReadHabit,
): BlockDevice | "gone" {
  const size = readSize();
  if (size === 0) return "gone";
  // If it cannot be read, each of the other reads may take as long to fail.
  gather((read) => read(0, Math.min(size, HEAD_BYTES)));
  const places: ReadPlace[] = [];
  const found = gather((read) => {
    places.length = 0;
    return probe({ size, read: (offset, length) => note(places, offset, length, read) }, entry.area);
  });
  habit.learn(entry, places);
  // The end of an optical disc cannot be read; elsewhere what was looked for may be where the device fails.
  const isSuspect = found.type === null && found.partitionTable === null && entry.area.kind !== "optical";
  return toDevice(entry, size, found, isSuspect ? refusal() : undefined);
}

function note(places: ReadPlace[], offset: number, length: number, read: ByteSource["read"]): Uint8Array {
  places.push({ offset, length });
  return read(offset, length);
}

function toDevice(entry: DeviceEntry, sizeBytes: number, facts: Facts, refusal?: SyscallError): BlockDevice {
  const { name, node, number, partition } = entry;
  const unreadable = refusal === undefined ? null : describeRefusal(refusal);
  return { name, node, number, sizeBytes, partition, facts, unreadable };
}

/** A device that is being probed, and for how long it has not answered. */
export type Unanswered = Pick<DeviceProbe, "entry" | "bytesRead">;

/** Formats a device without an answer as a report names it: `/dev/vda (64 MiB, has not answered yet, 33 KiB read)`. */
export function describeUnanswered({ entry: { node, sizeBytes }, bytesRead }: Unanswered): string {
  const size = sizeBytes > 0 ? `${formatBytes(sizeBytes)}, ` : "";
  return `${node} (${size}has not answered yet, ${formatBytes(bytesRead())} read)`;
}

import type { Machine } from "../machine/machine.ts";
import { STEP_NAMES, type StepName } from "../parameters/step-names.ts";

/** One step of the record; times are milliseconds since the kernel started. */
export interface StepRecord {
  readonly name: StepName;
  startMs: number | null;
  endMs: number | null;
  outcome: "waiting" | "running" | "done" | "failed";
  /** What was done, or the first line of why it failed. */
  text: string;
}

/** A printed line with its syslog level. */
export interface Message {
  readonly atMs: number;
  readonly level: number;
  readonly text: string;
}

/** The record of a boot, the content of /run/levain/boot.json. */
export interface BootRecord {
  readonly version: 1;
  readonly levain: string;
  kernel: string;
  commandLine: string;
  /** "stopped": before a step, by rd.break=; "rescue": by a failure. */
  state: "booting" | "stopped" | "rescue" | "handed over";
  readonly steps: StepRecord[];
  /** The newest messages, the oldest of them first. */
  readonly messages: Message[];
  /** The report of the failure that led to the rescue shell. */
  failure: readonly string[];
}

/** The file of the record, for `levain status` and `levain log`. */
export const RECORD_FILE = "/run/levain/boot.json";

/** A machine may retry for days: the first messages are then less important than memory. */
const MOST_MESSAGES = 2000;

/** Creates the record of a boot that has not begun. */
export function createRecord(levain: string): BootRecord {
  const steps = STEP_NAMES.map(
    (name): StepRecord => ({ name, startMs: null, endMs: null, outcome: "waiting", text: "" }),
  );
  return { version: 1, levain, kernel: "", commandLine: "", state: "booting", steps, messages: [], failure: [] };
}

/** Adds a message; drops the oldest if there are too many. */
export function keepMessage(record: BootRecord, message: Message): void {
  record.messages.push(message);
  if (record.messages.length > MOST_MESSAGES) record.messages.shift();
}

/** Writes the record. Never throws: a /run that cannot be written must not stop a boot. */
export function saveRecord(machine: Machine, record: BootRecord): void {
  try {
    machine.writeFile(RECORD_FILE, encode(record));
  } catch {
    // /run is not mounted yet, or is full: the console and the kernel log still have every message.
  }
}

/** Opens the record and returns a function that writes it once more, by descriptor: after /run has moved, the path may lead anywhere in the new root. */
export function holdRecord(machine: Machine, record: BootRecord): () => void {
  try {
    const writer = machine.openWriter(RECORD_FILE);
    return () => {
      try {
        writer.replace(encode(record));
      } catch {
        // As above.
      } finally {
        writer.close();
      }
    };
  } catch {
    return () => undefined;
  }
}

function encode(record: BootRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

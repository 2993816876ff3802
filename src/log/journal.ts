import type { Machine } from "../machine/machine.ts";
import { STEP_NAMES, type StepName } from "../parameters/step-names.ts";

/** One step as /run/levain/boot.json keeps it; times are milliseconds since the kernel started. */
export interface StepRecord {
  readonly name: StepName;
  startMs: number | null;
  endMs: number | null;
  outcome: "waiting" | "running" | "done" | "failed";
  /** What was done, or the first line of why it failed. */
  text: string;
}

/** A line that was told, with its syslog level. */
export interface Message {
  readonly atMs: number;
  readonly level: number;
  readonly text: string;
}

/** The whole of /run/levain/boot.json. */
export interface BootRecord {
  readonly version: 1;
  readonly levain: string;
  kernel: string;
  commandLine: string;
  /** "stopped": before a step, because rd.break= asks for it; "rescue": by a failure. */
  state: "booting" | "stopped" | "rescue" | "handed over";
  readonly steps: StepRecord[];
  /** The newest lines that were told, oldest first. */
  readonly messages: Message[];
  /** The report of the failure that led to the rescue shell. */
  failure: readonly string[];
}

/** Where the record of the boot is kept, for `levain status` and for whoever asks later. */
export const JOURNAL_FILE = "/run/levain/boot.json";

/** A machine may try for days; what it said first is then of no interest, and memory is. */
const MOST_MESSAGES = 2000;

/** The record of a boot that has not begun. */
export function createRecord(levain: string): BootRecord {
  const steps = STEP_NAMES.map(
    (name): StepRecord => ({ name, startMs: null, endMs: null, outcome: "waiting", text: "" }),
  );
  return { version: 1, levain, kernel: "", commandLine: "", state: "booting", steps, messages: [], failure: [] };
}

/** Adds a line; the oldest goes where there are too many. */
export function keepMessage(record: BootRecord, message: Message): void {
  record.messages.push(message);
  if (record.messages.length > MOST_MESSAGES) record.messages.shift();
}

/** Writes the record; a /run that cannot be written must not stop a boot. */
export function saveRecord(machine: Machine, record: BootRecord): void {
  try {
    machine.writeFile(JOURNAL_FILE, encode(record));
  } catch {
    // Before /run is mounted, or with it full: the console and the kernel's log still have every line.
  }
}

/** Returns what writes the record once more, into the file that it has now: when /run has moved, its path may lead anywhere in a new root. */
export function holdRecord(machine: Machine, record: BootRecord): () => void {
  try {
    const writer = machine.openWriter(JOURNAL_FILE);
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

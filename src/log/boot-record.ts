import * as v from "valibot";
import type { KernelMessage } from "../machine/kernel.ts";
import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { STEP_NAMES } from "../parameters/values.ts";
import { orIfRefused, tolerateRefusal } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";
import type { Answer } from "../problems/voice.ts";

const MILLISECONDS = v.pipe(v.number(), v.minValue(0));

/** Times are milliseconds since the kernel started; `text` is what was done, or the first line of why it failed. */
const STEP = v.object({
  name: v.picklist(STEP_NAMES),
  startMs: v.nullable(MILLISECONDS),
  endMs: v.nullable(MILLISECONDS),
  outcome: v.picklist(["waiting", "running", "done", "failed"]),
  text: v.string(),
});

/** A try that is counted from boot to boot, of a slot or of the boot loader's entry: number 1 of `most`. `most` is 0 if it is not counted. */
const ATTEMPT = v.object({ what: v.string(), number: v.number(), most: v.number(), left: v.number() });

const ANSWER = v.object({ node: v.string(), seenMs: MILLISECONDS, answeredMs: MILLISECONDS, text: v.string() });

const RECORD = v.object({
  version: v.literal(1),
  levain: v.string(),
  kernel: v.string(),
  commandLine: v.string(),
  // "stopped": before a step, by rd.break=; "rescue": by a failure.
  state: v.picklist(["booting", "stopped", "rescue", "handed over"]),
  // When this program was started, to within 10 ms; null if unknown.
  startedMs: v.optional(v.nullable(MILLISECONDS), null),
  steps: v.array(STEP),
  // The newest messages, the oldest of them first, each with its syslog level.
  messages: v.array(v.object({ atMs: MILLISECONDS, level: v.number(), text: v.string() })),
  // The report of the failure that led to the rescue shell.
  failure: v.array(v.string()),
  attempts: v.optional(v.array(ATTEMPT), []),
  // The first devices that answered, in that order, each with its newest answer.
  answers: v.optional(v.array(ANSWER), []),
  // Only in a saved log: the kernel's own messages, as dmesg(1) prints them.
  kernelLog: v.optional(v.array(v.string()), []),
});

/** A try, for the console and `levain status`. */
export type Attempt = v.InferOutput<typeof ATTEMPT>;
/** One step of the record. */
export type StepRecord = v.InferOutput<typeof STEP>;
/** The record of a boot, the content of /run/levain/boot.json. */
export type BootRecord = v.InferOutput<typeof RECORD>;

/** The file of the record, for `levain status`, `levain log` and `levain analyze`. */
export const RECORD_FILE = "/run/levain/boot.json";

/** A machine may retry for days: the first messages are then less important than memory. */
const MOST_MESSAGES = 2000;
/** Of hundreds of disks so many tell where the time went. */
const MOST_ANSWERS = 64;

/** USER_HZ, the unit of times in proc_pid_stat(5). */
const TICK_MS = 10;

/** Returns field 22 of /proc/self/stat in milliseconds: when this process was started. The second may contain spaces. */
export function readStart(machine: Pick<Machine, "readFile">): number | null {
  const stat = orIfRefused(() => readText(machine, "/proc/self/stat"), "");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  return Number.isFinite(ticks) ? ticks * TICK_MS : null;
}

/** Creates the record of a boot that has not begun. */
export function createRecord(levain: string, startedMs: number | null = null): BootRecord {
  const steps = STEP_NAMES.map(
    (name): StepRecord => ({ name, startMs: null, endMs: null, outcome: "waiting", text: "" }),
  );
  const begun = { kernel: "", commandLine: "", state: "booting", startedMs } as const;
  return { version: 1, levain, ...begun, steps, messages: [], failure: [], attempts: [], answers: [], kernelLog: [] };
}

/** Adds a message; drops the oldest if there are too many. */
export function keepMessage(record: BootRecord, message: BootRecord["messages"][number]): void {
  record.messages.push(message);
  if (record.messages.length > MOST_MESSAGES) record.messages.shift();
}

/** Adds the answer of a device, or exchanges an earlier one: it changed. */
export function keepAnswer({ answers }: BootRecord, answer: Answer): void {
  const index = answers.findIndex(({ node }) => node === answer.node);
  const before = answers[index];
  if (before !== undefined) answers[index] = { ...answer, seenMs: before.seenMs };
  else if (answers.length < MOST_ANSWERS) answers.push(answer);
}

/** Reads a record, by default that of this boot; null if there is none. Throws BootError if it is damaged or was written by another version. */
export function readRecord(machine: Machine, path = RECORD_FILE): BootRecord | null {
  if (machine.stat(path) === null) return null;
  const record = parseRecord(readText(machine, path));
  if (record === null) throw problem("boot-record-damaged", { path });
  return record;
}

/** Reads the text of a record; null for anything else. */
export function parseRecord(text: string): BootRecord | null {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), RECORD), text, { abortEarly: true });
  return result.success ? result.output : null;
}

/** Writes the record. Never throws: a /run that cannot be written must not stop a boot. */
export function saveRecord(machine: Machine, record: BootRecord): void {
  try {
    machine.writeFile(RECORD_FILE, encode(record));
  } catch {
    // /run is not mounted yet, or is full: the console and the kernel log still have every message.
  }
}

/** Writes the record once more at the end of a boot. Never throws, as `saveRecord`. */
export function createRecordEnd(machine: Machine, record: BootRecord) {
  let write = () => saveRecord(machine, record);
  return {
    /** Opens it: after /run has moved, the path may lead anywhere in the new root. */
    hold(): void {
      const writer = orIfRefused(() => machine.openWriter(RECORD_FILE), null);
      write = () => {
        tolerateRefusal(() => writer?.replace(encode(record)));
        writer?.close();
      };
    },
    save: () => write(),
  };
}

/** Formats the messages of a boot, with the seconds since the kernel started. */
export function formatMessages({ messages }: BootRecord): readonly string[] {
  return messages.map(({ atMs, text }) => `[${(atMs / 1000).toFixed(3).padStart(9)}] ${printable(text)}`);
}

/** Formats messages of the kernel as dmesg(1) does. */
export function formatKernelLog(messages: readonly KernelMessage[]): readonly string[] {
  return messages.map(({ atMs, text }) => `[${(atMs / 1000).toFixed(6).padStart(12)}] ${text}`);
}

function encode(record: BootRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

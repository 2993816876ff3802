import { type BootRecord, readRecord, type StepRecord } from "../journal.ts";
import type { Machine } from "../machine/machine.ts";
import { printable } from "../report.ts";

/** `levain status`: where the boot is or stopped, as lines; null where this system was not booted by levain. */
export function describeStatus(machine: Machine): readonly string[] | null {
  const record = readRecord(machine);
  return record === null ? null : formatStatus(record);
}

const STATES: Readonly<Record<BootRecord["state"], string>> = {
  booting: "the boot is going on",
  rescue: "the boot has stopped; `levain retry` goes on from there, also with corrected parameters: levain retry root=LABEL=…",
  "handed over": "the boot has handed over to the real init",
};

function formatStatus(record: BootRecord): readonly string[] {
  return [
    `levain ${record.levain} on Linux ${record.kernel}: ${STATES[record.state]}`,
    `command line: ${printable(record.commandLine)}`,
    "",
    ...record.steps.map(formatStep),
    ...(record.state === "rescue" ? ["", ...record.failure] : []),
  ];
}

const MARKS: Readonly<Record<StepRecord["outcome"], string>> = {
  waiting: "     ",
  running: " ... ",
  done: " ok  ",
  failed: "FAILED",
};

function formatStep({ name, outcome, text, startMs, endMs }: StepRecord): string {
  const time = startMs === null || endMs === null ? "" : `${Math.round(endMs - startMs)} ms`;
  return `${MARKS[outcome].padEnd(7)}${name.padEnd(10)}${printable(text)}${time === "" ? "" : `  (${time})`}`;
}

import { describeDriverless } from "../../drivers/driverless.ts";
import type { BootRecord, StepRecord } from "../../log/journal.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable, timeLine, wrapLines } from "../../problems/report.ts";
import { readRecord } from "./record.ts";

/** `levain status`: where the boot is or stopped, why, and what to try, as lines; null where this system was not booted by levain. Throws BootError for a damaged record. */
export function describeStatus(machine: Machine): readonly string[] | null {
  const record = readRecord(machine);
  if (record === null) return null;
  // Where the image is gone, so is its list of what it has not: then there is nothing to tell.
  const missing = describeDriverless(machine);
  return missing.length === 0 ? formatStatus(record) : [...formatStatus(record), "", ...missing.map(printable)];
}

function formatStatus(record: BootRecord): readonly string[] {
  const head = [
    `levain ${record.levain}${record.kernel === "" ? "" : ` on Linux ${record.kernel}`}`,
    ...(record.commandLine === "" ? [] : [`command line: ${record.commandLine}`]),
  ];
  return [
    ...wrapLines(head.map(printable)),
    "",
    ...record.steps.map(formatStep),
    "",
    ...(record.state === "rescue" ? [...wrapLines(record.failure.map(printable)), ""] : []),
    ...describeState(record),
  ];
}

const EXIT = "  exit                          ";
const GO_ON = [
  "  levain retry root=LABEL=NAME  the same with other parameters",
  "  levain devices, levain log    the disks that are there, and what has been said",
];

function describeState({ state, steps }: BootRecord): readonly string[] {
  const next = steps.find(({ outcome }) => outcome !== "done")?.name ?? "handover";
  switch (state) {
    case "rescue":
      return [`The boot has stopped at the step "${next}".`, `${EXIT}tries again from there`, ...GO_ON];
    case "stopped":
      return [`The boot waits before the step "${next}" (rd.break).`, `${EXIT}goes on`, ...GO_ON];
    case "booting":
      return [`The boot is at the step "${next}".`];
    case "handed over":
      return ["The boot has handed over to the real init."];
  }
}

const MARKS: Readonly<Record<StepRecord["outcome"], string>> = {
  waiting: "",
  running: "...",
  done: "ok",
  failed: "FAILED",
};

function formatStep({ name, outcome, text, startMs, endMs }: StepRecord): string {
  const line = `  ${MARKS[outcome].padEnd(6)}  ${name.padEnd(8)}  ${printable(text)}`.trimEnd();
  return startMs === null || endMs === null ? line : timeLine(line, 20, `${Math.round(endMs - startMs)} ms`);
}

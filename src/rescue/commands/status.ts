import { describeAttempt } from "../../boot/tries/tries.ts";
import { describeDriverless, hasMissingList } from "../../drivers/driverless.ts";
import { type BootRecord, formatMessages, readRecord, type StepRecord } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable, timeLine, wrapLines } from "../../problems/report.ts";
import { canRestart, readStay } from "../restart.ts";

/** Formats `levain status`: where the boot is or stopped, why, and what to try; null if levain did not boot this system. Throws BootError for a damaged record. */
export function describeStatus(machine: Machine): readonly string[] | null {
  const record = readRecord(machine);
  if (record === null) return null;
  // In the real system the image is gone, and its modules with it.
  const isImageGone = record.state === "handed over" && !hasMissingList(machine);
  const missing = isImageGone ? [] : describeDriverless(machine);
  const stay = readStay(machine);
  const lines = formatStatus(record, stay !== null && canRestart(machine, stay));
  return missing.length === 0 ? lines : [...lines, "", ...missing.map(printable)];
}

function formatStatus(record: BootRecord, canBoot: boolean): readonly string[] {
  const head = [
    `levain ${record.levain}${record.kernel === "" ? "" : ` on Linux ${record.kernel}`}`,
    ...(record.commandLine === "" ? [] : [`command line: ${record.commandLine}`]),
    ...record.attempts.map(describeAttempt),
  ];
  return [
    ...wrapLines(head.map(printable)),
    "",
    // A step that had nothing to do says nothing, here as on the console.
    ...record.steps.filter(({ outcome, text }) => outcome !== "done" || text !== "").map(formatStep),
    "",
    ...(record.state === "rescue" ? [...wrapLines(record.failure.map(printable)), ""] : []),
    ...describeState(record, canBoot),
  ];
}

const BOOT = "  levain retry root=LABEL=NAME  boots a root from this initramfs";
const EXIT = "  exit                          ";
const OTHERS = [
  "  levain menu                   offers repairs",
  "  levain retry root=LABEL=NAME  retries with other parameters",
  "  levain devices, levain log    show the disks, and the messages of this boot",
  "  levain save-log /dev/sdb1     saves the messages on a stick",
];

function describeState({ state, steps }: BootRecord, canBoot: boolean): readonly string[] {
  const next = steps.find(({ outcome }) => outcome !== "done")?.name ?? "handover";
  switch (state) {
    case "rescue":
      return [`The boot stopped at the step "${next}".`, `${EXIT}retries from there`, ...OTHERS];
    case "stopped":
      return [`The boot waits before the step "${next}" (rd.break).`, `${EXIT}continues`, ...OTHERS];
    case "booting":
      return [`The boot is at the step "${next}".`];
    case "handed over":
      return ["The boot has handed over to the real init.", ...(canBoot ? [BOOT] : [])];
  }
}

const MARKS = { waiting: "", running: "...", done: "ok", failed: "FAILED" } as const;

function formatStep({ name, outcome, text, startMs, endMs }: StepRecord): string {
  const line = `  ${MARKS[outcome].padEnd(6)}  ${name.padEnd(8)}  ${printable(text)}`.trimEnd();
  return startMs === null || endMs === null ? line : timeLine(line, 20, `${Math.round(endMs - startMs)} ms`);
}

/** Formats `levain log`: every message of a boot; null if there is no record of it. */
export function describeLog(record: BootRecord | null): readonly string[] | null {
  return record && formatMessages(record);
}

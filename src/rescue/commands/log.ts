import { readRecord } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";

/** Formats `levain log`: every message of the boot, with the seconds since the kernel started; null if levain did not boot this system. Throws BootError for a damaged record. */
export function describeLog(machine: Machine): readonly string[] | null {
  const record = readRecord(machine);
  return (
    record?.messages.map(({ atMs, text }) => `[${(atMs / 1000).toFixed(3).padStart(9)}] ${printable(text)}`) ?? null
  );
}

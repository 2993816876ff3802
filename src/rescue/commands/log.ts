import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";
import { readRecord } from "./record.ts";

/** `levain log`: every line that the boot has told, with the seconds since the kernel started; null where this system was not booted by levain. Throws BootError for a damaged record. */
export function describeLog(machine: Machine): readonly string[] | null {
  const record = readRecord(machine);
  return (
    record?.messages.map(({ atMs, text }) => `[${(atMs / 1000).toFixed(3).padStart(9)}] ${printable(text)}`) ?? null
  );
}

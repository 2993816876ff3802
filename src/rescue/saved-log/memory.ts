import { changeEfiVariable, hasEfiVariables, readEfiVariable } from "../../filesystems/efi-variables.ts";
import type { BootRecord } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { isErrno } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import type { LogContext } from "./place.ts";

/** Where the kernel keeps text for the next boot, if the machine has memory for it (Documentation/admin-guide/pstore-blk.rst). */
const PSTORE = "/dev/pmsg0";
/** levain's own variable; the vendor GUID is that of its slots. */
const VARIABLE = "LevainLastFailure-a398406c-8d80-463c-afa2-dff69f6cfaaf";
/** The memory for variables is small: 64 KiB on many machines, and firmware may not start when it is full. */
const MOST_BYTES = 1024;

/** Leaves the report to the next boot, in pstore or else in an EFI variable. Returns where, as a clause; null on a machine with neither. Throws SyscallError. */
export function leaveReport({ machine, voice }: LogContext, { failure }: BootRecord): string | null {
  const text = `levain: ${failure.map(printable).join("\n")}\n`;
  if (machine.stat(PSTORE)?.kind === "character") {
    machine.writeFile(PSTORE, text);
    return "the report was left in pstore: the next system finds it in /sys/fs/pstore";
  }
  if (!hasEfiVariables(machine)) return null;
  const value = Buffer.from(text).subarray(0, MOST_BYTES);
  // A machine that fails in the same way every minute must not wear out its flash.
  changeEfiVariable(machine, voice, VARIABLE, (before) => (before !== null && value.equals(before) ? null : value));
  return "the report was left in an EFI variable, for the next system";
}

/** Returns the lines of a report in the EFI variable; null if there is none. */
export function readLeftReport(machine: Machine, voice: Voice): readonly string[] | null {
  try {
    const value = readEfiVariable(machine, voice, VARIABLE, "no report of a failed boot is found");
    return value === null ? null : new TextDecoder().decode(value).trimEnd().split("\n").map(printable);
  } catch (error) {
    if (!isErrno(error)) throw error;
    return null;
  }
}

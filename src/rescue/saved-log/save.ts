import { type BlockDevice, describeDevice, listBlockDeviceNames } from "../../devices/block-devices.ts";
import { readBlockDevices } from "../../devices/read-devices.ts";
import { type BootRecord, formatMessages } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { hideSecrets } from "../../parameters/secrets.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, isErrno, orIfRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { printable, sentence } from "../../problems/report.ts";
import { findLogPlace, type LogContext, withLogPlace } from "./place.ts";

/** The saved logs: levain-failed-NUMBER.txt for a person, .json for programs. */
const FILE = /^levain-failed-([1-9]\d{0,5})\.(?:txt|json)$/;
const fileName = (number: number, ending: "txt" | "json") => `levain-failed-${number}.${ending}`;
/** Holds the number of a failure that no later boot has shown yet. */
export const NEWS = "levain-failed.new";
/** Older logs are removed. */
const MOST_KEPT = 10;
const NEEDED_BYTES = 1 << 20;
/** Where the kernel keeps text for the next boot, if the machine has memory for it (Documentation/admin-guide/pstore-blk.rst). */
const PSTORE = "/dev/pmsg0";

/** Is there if this boot has saved its log. */
export const SAVED_FILE = "/run/levain/log-saved";

/** Returns the name of the saved record with this number. */
export const recordName = (number: number) => fileName(number, "json");

/**
 * Saves the record of a failed boot, the devices and the kernel's messages, without secrets, where `findLogPlace` says. Returns what
 * was saved where, as a clause; null if there is no such place. Throws BootError, SyscallError.
 */
export function saveLog(
  context: LogContext,
  record: BootRecord,
  wish: Pick<BootPlan["rescue"], "log" | "shell">,
): string | null {
  const { machine } = context;
  const { devices } = readBlockDevices(machine, listBlockDeviceNames(machine));
  const place = findLogPlace(machine, wish, devices);
  if (place === null) return wish.log === null ? saveInMemory(machine, record) : null;
  const files = makeFiles(machine, record, devices);
  return withLogPlace(context, place, (directory) => {
    const { freeBytes } = machine.statFilesystem(directory);
    if (freeBytes < NEEDED_BYTES)
      throw problem("log-without-room", { device: describeDevice(place.device), freeBytes });
    const name = writeFiles(machine, directory, files);
    return `the log of this boot was saved: ${name} on ${describeDevice(place.device)}`;
  });
}

/** Returns what saves the log of a boot that failed, once for each failure, and says so. It never throws: the failure policy comes next. */
export function createLogSaver(context: LogContext, record: BootRecord, say: (line: string) => void) {
  let last = "";
  return (wish: Pick<BootPlan["rescue"], "log" | "shell">): void => {
    const failure = record.failure.join("\n");
    if (failure === last) return;
    last = failure;
    try {
      const saved = saveLog(context, record, wish);
      if (saved !== null) say(saved);
    } catch (error) {
      if (!(error instanceof BootError) && !isErrno(error)) throw error;
      say(sentence(error));
    }
  };
}

/** Writes the files with the next number, and removes the oldest. Returns the name of the text. */
function writeFiles(
  machine: Machine,
  directory: string,
  files: { readonly txt: string; readonly json: string },
): string {
  const present = machine.listDirectory(directory).flatMap((name) => {
    const number = FILE.exec(name)?.[1];
    return number === undefined ? [] : [{ name, number: Number(number) }];
  });
  const number = Math.max(0, ...present.map((file) => file.number)) + 1;
  for (const { name } of present.filter((file) => file.number <= number - MOST_KEPT)) {
    machine.removeFile(`${directory}/${name}`);
  }
  for (const ending of ["txt", "json"] as const)
    machine.writeFile(`${directory}/${fileName(number, ending)}`, files[ending]);
  machine.syncFilesystem(directory);
  // Last: what it names is complete.
  machine.writeFile(`${directory}/${NEWS}`, `${number}\n`);
  machine.writeFile(SAVED_FILE, "");
  return fileName(number, "txt");
}

function makeFiles(machine: Machine, record: BootRecord, devices: readonly BlockDevice[]) {
  const kernelLog = orIfRefused(() => machine.kernelLogSince(null), []).map(hideSecrets);
  const seen = devices.map(describeDevice);
  const parts = [
    [`levain ${record.levain} on Linux ${record.kernel}`, `command line: ${record.commandLine}`],
    ["THE FAILURE", ...record.failure],
    ["DEVICES", ...seen],
    ["MESSAGES", ...formatMessages(record)],
    ["KERNEL LOG", ...kernelLog],
  ];
  return {
    txt: `${parts.map((lines) => lines.map(printable).join("\n")).join("\n\n")}\n`,
    json: `${JSON.stringify({ ...record, devices: seen, kernelLog }, null, 1)}\n`,
  };
}

/** Leaves the report to the next boot, which finds it in /sys/fs/pstore. Returns null on a machine without such memory. */
function saveInMemory(machine: Machine, record: BootRecord): string | null {
  if (machine.stat(PSTORE)?.kind !== "character") return null;
  try {
    machine.writeFile(PSTORE, `levain: ${record.failure.join("\n")}\n`);
    return "the report was left in pstore: the next system finds it in /sys/fs/pstore";
  } catch (error) {
    if (!isErrno(error)) throw error;
    return null;
  }
}

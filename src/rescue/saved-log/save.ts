import { type BlockDevice, describeDevice } from "../../devices/block-devices.ts";
import type { BootRecord } from "../../log/boot-record.ts";
import type { Console } from "../../log/console.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, isErrno, tolerateRefusal } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { sentence, wrapLines } from "../../problems/report.ts";
import { type LogFiles, makeLogFiles } from "./content.ts";
import { findLogPlace, type LogContext, type LogPlace, type LogWish, readDevices, withLogPlace } from "./place.ts";

/** The saved logs: levain-failed-NUMBER.txt for a person, .json for programs. */
const fileName = (number: number, ending: keyof LogFiles) => `levain-failed-${number}.${ending}`;
/** Holds the number of a failure that no later boot has shown yet. */
export const NEWS = "levain-failed.new";
/** Is there if this boot has saved its log. */
export const SAVED_FILE = "/run/levain/log-saved";
/** The numbers go round, and the one after the newest is free. */
const NUMBERS = 10;
/** For directories and tables of the filesystem. */
const SPARE_BYTES = 64 << 10;
/** Where the kernel keeps text for the next boot, if the machine has memory for it (Documentation/admin-guide/pstore-blk.rst). */
const PSTORE = "/dev/pmsg0";

/** Returns the name of the saved record with this number. */
export const recordName = (number: number) => fileName(number, "json");

/**
 * Saves the record of a failed boot, the devices and the kernel's messages, without secrets, where `findLogPlace` says. Returns what
 * was saved where, as a clause; null if there is no such place. Throws BootError, SyscallError.
 */
export function saveLog(context: LogContext, record: BootRecord, wish: LogWish): string | null {
  if (wish.log === false) return null;
  const devices = readDevices(context.machine, wish);
  const place = findLogPlace(context.machine, wish, devices);
  return place === null ? null : saveTo(context, place, record, devices);
}

function saveTo(context: LogContext, place: LogPlace, record: BootRecord, devices: readonly BlockDevice[]): string {
  const { machine } = context;
  const files = makeLogFiles(machine, record, devices);
  const device = describeDevice(place.device);
  const name = withLogPlace(context, place, (directory) => {
    const number = makeRoom(machine, directory);
    const { freeBytes } = machine.statFilesystem(directory);
    const neededBytes = files.txt.length + files.json.length + SPARE_BYTES;
    if (freeBytes < neededBytes) throw problem("log-without-room", { device, freeBytes, neededBytes });
    for (const ending of ["txt", "json"] as const)
      createFile(machine, `${directory}/${fileName(number, ending)}`, files[ending]);
    machine.syncFilesystem(directory);
    // Last: what it names is complete.
    createFile(machine, `${directory}/${NEWS}`, Buffer.from(`${number}\n`));
    return fileName(number, "txt");
  });
  machine.writeFile(SAVED_FILE, "");
  return `the log was saved: ${name} on ${device}`;
}

/** Returns the first free number, and frees the one after it: the oldest. A directory of the filesystem is not listed, as it may be endless. */
function makeRoom(machine: Machine, directory: string): number {
  const numbers = Array.from({ length: NUMBERS }, (_, index) => index + 1);
  const isFree = (number: number) => machine.lstat(`${directory}/${fileName(number, "txt")}`) === null;
  const number = numbers.find(isFree) ?? 1;
  for (const ending of ["txt", "json"] as const) {
    tolerateRefusal(() => machine.removeFile(`${directory}/${fileName((number % NUMBERS) + 1, ending)}`));
  }
  return number;
}

/** Creates a file in place of whatever has its name: a pipe would be waited for, and a link be followed. */
function createFile(machine: Machine, path: string, data: Uint8Array): void {
  if (machine.lstat(path) !== null) machine.removeFile(path);
  const writer = machine.openWriter(path);
  try {
    writer.replace(data);
  } catch (error) {
    tolerateRefusal(() => machine.removeFile(path));
    throw error;
  } finally {
    writer.close();
  }
}

/** Returns what saves the log of a boot that failed, once for each failure, and says so; where that is not possible, it leaves the report in pstore. It never throws: the failure policy comes next. */
export function createLogSaver(
  machine: Machine,
  voice: Console,
  record: BootRecord,
  modules: () => BootPlan["modules"],
): (wish: LogWish) => void {
  const context = { machine, voice, modules };
  const say = (line: string) => voice.trouble(wrapLines([line]));
  let last = "";
  return (wish) => {
    const failure = record.failure.join("\n");
    if (failure === last) return;
    last = failure;
    try {
      const saved = trySaving(context, record, wish, say) ?? saveInMemory(context.machine, record, wish);
      if (saved !== null) say(saved);
    } catch (error) {
      say(`the log is not saved: ${sentence(error)}`);
    }
  };
}

function trySaving(context: LogContext, record: BootRecord, wish: LogWish, say: (line: string) => void): string | null {
  try {
    const saved = saveLog(context, record, wish);
    if (saved === null && wish.log !== null && wish.log !== false) {
      say(sentence(problem("log-without-place", { place: wish.log.text })));
    }
    return saved;
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    say(sentence(error));
    return null;
  }
}

/** Leaves the report to the next boot, which finds it in /sys/fs/pstore. Returns null on a machine without such memory. */
function saveInMemory(machine: Machine, record: BootRecord, { log }: LogWish): string | null {
  if (log === false || machine.stat(PSTORE)?.kind !== "character") return null;
  machine.writeFile(PSTORE, `levain: ${record.failure.join("\n")}\n`);
  return "the report was left in pstore: the next system finds it in /sys/fs/pstore";
}

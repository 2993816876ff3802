import { type BlockDevice, describeDevice } from "../../devices/block-devices.ts";
import type { BootRecord } from "../../log/boot-record.ts";
import type { Console } from "../../log/console.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, isErrno } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { sentence, wrapLines } from "../../problems/report.ts";
import { makeLogFiles } from "./content.ts";
import { leaveReport } from "./memory.ts";
import { findLogPlace, type LogContext, type LogPlace, type LogWish, readDevices, writeLog } from "./place.ts";

/** Is there if this boot has saved its log. */
export const SAVED_FILE = "/run/levain/log-saved";
/**
 * Saves the record of a failed boot, the devices and the kernel's messages, without secrets, where `findLogPlace` says. Returns what
 * was saved where, as a clause; null if there is no such place. Throws BootError, SyscallError.
 */
export function saveLog(context: LogContext, record: BootRecord, wish: LogWish): string | null {
  if (wish.log === false) return null;
  const devices = readDevices(context.machine, wish);
  const place = findLogPlace(context, wish, devices);
  return place === null ? null : saveTo(context, place, record, devices);
}

function saveTo(context: LogContext, place: LogPlace, record: BootRecord, devices: readonly BlockDevice[]): string {
  const name = writeLog(context, place, makeLogFiles(context.machine, record, devices));
  context.machine.writeFile(SAVED_FILE, "");
  return `the log was saved: ${place.path === null ? "" : `${place.path}/`}${name} on ${describeDevice(place.device)}`;
}

/** Returns what saves the log of a boot that failed, once for each failure, and says so; where that is not possible, it leaves the report in the machine's memory. It never throws: the failure policy comes next. */
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
      const saved = trySaving(context, record, wish, say) ?? (wish.log === false ? null : leaveReport(context, record));
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

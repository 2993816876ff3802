import type { BlockDevice } from "../../devices/block-devices.ts";
import { findDirectoryIn } from "../../filesystems/resolve.ts";
import { readRecord } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError, isErrno } from "../../problems/errors.ts";
import { printable, sentence } from "../../problems/report.ts";
import { findLogPlace, type LogContext, lookBriefly, withLogPlace } from "./place.ts";
import { NEWS, recordName, SAVED_FILE } from "./save.ts";

/** The record of the boot before this one, if that failed and its log was saved. */
export const PREVIOUS_FILE = "/run/levain/previous.json";
const MOST_BYTES = 8 << 20;

/** In a boot that succeeds: copies the record of the last failure, if no boot has shown it, to `PREVIOUS_FILE`, and says so. Never throws: the boot goes on. */
export function showPrevious(
  context: LogContext,
  wish: Pick<BootPlan["rescue"], "log" | "shell">,
  devices: readonly BlockDevice[],
): void {
  const { machine, voice } = context;
  try {
    const place = findLogPlace(machine, wish, devices);
    if (place === null) return;
    const isThere = (directory: string, patient: Machine) => findNews(patient, directory, place.path) !== null;
    if (!lookBriefly(context, place, isThere)) return;
    const failure = withLogPlace(context, place, (directory) => takeNews(machine, directory));
    if (failure !== null) voice.warn(`the last boot failed: ${printable(failure)} (levain log --previous)`);
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    voice.warn(`could not look for the log of a boot that failed: ${sentence(error)}`);
  }
}

/** Returns the path of the news; null if there are none, which is so for most boots. */
function findNews(machine: Machine, directory: string, path: string | null): string | null {
  const place = path === null ? directory : findDirectoryIn(machine, directory, path);
  return place !== null && machine.lstat(`${place}/${NEWS}`)?.kind === "file" ? `${place}/${NEWS}` : null;
}

/** Returns the first line of the report; null if there is none, or if a person has just seen it: this boot had failed, and goes on. */
function takeNews(machine: Machine, directory: string): string | null {
  const news = findNews(machine, directory, null);
  if (news === null) return null;
  const number = new TextDecoder().decode(readSmall(machine, news, 16));
  machine.removeFile(news);
  if (machine.stat(SAVED_FILE) !== null) return null;
  const path = `${directory}/${recordName(Number(number))}`;
  if (machine.lstat(path)?.kind !== "file") return null;
  machine.writeFile(PREVIOUS_FILE, readSmall(machine, path, MOST_BYTES));
  return readRecord(machine, PREVIOUS_FILE)?.failure[0] ?? null;
}

function readSmall(machine: Machine, path: string, mostBytes: number): Uint8Array {
  const reader = machine.openReader(path);
  try {
    return reader.read(0, Math.min(reader.size, mostBytes));
  } finally {
    reader.close();
  }
}

import type { BlockDevice } from "../../devices/block-devices.ts";
import { findDirectoryIn } from "../../filesystems/resolve.ts";
import { type BootRecord, parseRecord } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable, sentence } from "../../problems/report.ts";
import { findEarlierLog, type LogContext, type LogWish, lookBriefly, writeLog } from "./place.ts";
import { SAVED_FILE } from "./save.ts";
import { fileName, NEWS } from "./serve.ts";

/** The record of the boot before this one, if that failed and its log was saved. */
export const PREVIOUS_FILE = "/run/levain/previous.json";
const MOST_BYTES = 1 << 20;
const MOST_CHARACTERS = 200;

/**
 * In a boot that succeeds: copies the record of the last failure, if no boot has shown it, to `PREVIOUS_FILE`, and says so.
 * Never throws: the boot goes on.
 */
export function showPrevious(context: LogContext, wish: LogWish, devices: readonly BlockDevice[]): void {
  const { machine, voice } = context;
  if (wish.log === false) return;
  try {
    const place = findEarlierLog(context, wish, devices);
    if (place === null) return;
    const news = lookBriefly(context, place, (directory, patient) => readNews(patient, directory, place.path));
    if (news === null) return;
    writeLog(context, place, null);
    // A person has just seen it: this boot had failed, and goes on.
    if (news.record === null || machine.stat(SAVED_FILE) !== null) return;
    machine.writeFile(PREVIOUS_FILE, JSON.stringify(news.record));
    const failure = printable(news.record.failure[0] ?? "").slice(0, MOST_CHARACTERS);
    voice.warn(`the last boot failed: ${failure} (\`levain log --previous\`)`);
  } catch (error) {
    voice.warn(`could not look for the log of a boot that failed: ${sentence(error)}`);
  }
}

/** Returns null if there is no news, which is so for most boots; and no record if that is not as levain writes it. */
function readNews(machine: Machine, top: string, path: string | null): { readonly record: BootRecord | null } | null {
  const directory = path === null ? top : findDirectoryIn(machine, top, path);
  const number = directory === null ? null : readSmall(machine, `${directory}/${NEWS}`);
  if (number === null) return null;
  const text = readSmall(machine, `${directory}/${fileName(Number(number), "json")}`);
  return { record: text === null ? null : parseRecord(text) };
}

/** null for anything but a file that is not too large. */
function readSmall(machine: Machine, path: string): string | null {
  const status = machine.lstat(path);
  if (status?.kind !== "file" || status.size > MOST_BYTES) return null;
  const reader = machine.openReader(path);
  try {
    return new TextDecoder().decode(reader.read(0, reader.size));
  } finally {
    reader.close();
  }
}

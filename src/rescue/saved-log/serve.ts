import { mountDevice } from "../../filesystems/mount.ts";
import { makeDirectoryIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError, isErrno, tolerateRefusal } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { sentence } from "../../problems/report.ts";
import { decodeJson, encodeJson, type LogAnswer, type LogOrder } from "./order.ts";

const PLACE = "/run/levain/saved-log";
const SILENT = { warn: () => undefined, debug: () => undefined, progress: () => undefined };
/** The parent has loaded them, to look at the filesystem. */
const LOADED = { loadFilesystem: () => undefined, blocked: () => [] };

/** The saved logs: levain-failed-NUMBER.txt for a person, .json for programs. */
export const fileName = (number: number, ending: "txt" | "json") => `levain-failed-${number}.${ending}`;
/** Holds the number of a failure that no later boot has shown yet. */
export const NEWS = "levain-failed.new";
/** The numbers go round, and the one after the newest is free. */
const NUMBERS = 10;

/**
 * Returns what writes to the filesystem for logs, in a process of its own: a stick that hangs while it is written to holds up only
 * that. Its mount ends with it.
 */
export function createLogWriter(machine: Machine): (order: Uint8Array) => Uint8Array {
  machine.isolateMounts();
  return (bytes) => encodeJson(carryOut(machine, decodeJson(bytes)));
}

function carryOut(machine: Machine, order: LogOrder): LogAnswer {
  try {
    return { file: write(machine, order) };
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    return { why: sentence(error) };
  }
}

function write(machine: Machine, { device, options, path, ...what }: LogOrder): string {
  const undone: (() => void)[] = [];
  const undo = (act: () => void) => void undone.push(act);
  mountDevice(
    { machine, voice: SILENT, drivers: LOADED, undo },
    { device, target: PLACE, types: [], access: "writable", options, role: "store" },
  );
  try {
    const directory = path === null ? PLACE : makeDirectoryIn(machine, PLACE, path);
    const file = what.log === null ? removeNews(machine, directory) : saveFiles(machine, directory, what, what.log);
    machine.syncFilesystem(PLACE);
    return file;
  } finally {
    for (const act of undone.reverse()) act();
  }
}

function removeNews(machine: Machine, directory: string): string {
  machine.removeFile(`${directory}/${NEWS}`);
  return NEWS;
}

function saveFiles(
  machine: Machine,
  directory: string,
  { name, spareBytes }: Pick<LogOrder, "name" | "spareBytes">,
  log: NonNullable<LogOrder["log"]>,
): string {
  const files = { txt: Buffer.from(log.txt), json: Buffer.from(log.json) };
  const number = makeRoom(machine, directory);
  const { freeBytes } = machine.statFilesystem(directory);
  const neededBytes = files.txt.length + files.json.length + spareBytes;
  if (freeBytes < neededBytes) throw problem("log-without-room", { device: name, freeBytes, neededBytes });
  for (const ending of ["txt", "json"] as const) {
    createFile(machine, `${directory}/${fileName(number, ending)}`, files[ending]);
  }
  machine.syncFilesystem(directory);
  // Last: what it names is complete.
  createFile(machine, `${directory}/${NEWS}`, Buffer.from(`${number}\n`));
  return fileName(number, "txt");
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

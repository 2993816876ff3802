import { type ReadVariable, readEfiVariable } from "../../filesystems/efi-variables.ts";
import type { Attempt } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";

/** Boot Loader Interface (UAPI group): the path of the booted entry on the ESP, with its counter; set only for an entry that has one. */
const COUNT_PATH = "LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/** Automatic Boot Assessment of systemd: NAME+LEFT-DONE.conf or .efi. The boot loader has counted this boot already; without -DONE it has not. */
const COUNTER = /([^\\/]+?)\+(\d{1,6})(?:-(\d{1,6}))?\.(?:conf|efi)$/i;

/** Returns the try that systemd-boot has counted for this boot; null if it counts none. A variable that cannot be read is one that is not set: levain counts nothing with it. */
export function readBootCount(machine: Machine, voice: Voice): Attempt | null {
  const silent = { ...voice, warn: voice.debug };
  const value = readEfiVariable(machine, silent, COUNT_PATH, "the tries of the boot entry are not known");
  return value === null ? null : parseBootCount(decodePath(value));
}

/** Returns the path of the booted entry; an empty text if it has no counter. */
export function readCountPath(read: ReadVariable): string {
  const value = read(COUNT_PATH);
  return value === null ? "" : decodePath(value);
}

const decodePath = (value: Uint8Array) => new TextDecoder("utf-16le").decode(value).replace(/\0+$/, "");

/** Parses the path of a boot entry; null if it has no counter. */
export function parseBootCount(path: string): Attempt | null {
  const [, name, left, done = "0"] = COUNTER.exec(path) ?? [];
  if (name === undefined || left === undefined) return null;
  const most = Number(left) + Number(done);
  return { what: `boot entry ${printable(name)}`, number: Number(done), most, left: Number(left) };
}

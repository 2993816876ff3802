import type { Machine } from "../machine/machine.ts";
import { readAvailableMemory } from "../machine/small-files.ts";
import { isErrno } from "../problems/errors.ts";
import { headline, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";

const MIB = 2 ** 20;
/** What a system needs besides the copy to be worth starting. */
const KEEP_FREE_BYTES = 64 * MIB;
const NOTICE_EVERY_MS = 1000;

/** Copies the image into a tmpfs mounted at `directory`; returns the copy's path, or null with a warning where memory does not suffice or the copy fails: the medium serves then. */
export function copyToRam(machine: Machine, source: string, directory: string, voice: Voice): string | null {
  const name = source.slice(source.lastIndexOf("/") + 1);
  const bytes = machine.stat(source)?.size ?? 0;
  const available = readAvailableMemory(machine) ?? 0;
  if (bytes + KEEP_FREE_BYTES > available) {
    voice.warn(
      `not copying ${printable(name)} to RAM: it takes ${mib(bytes)} MiB and ${mib(available)} MiB are free; running from the medium`,
    );
    return null;
  }
  machine.makeDirectory(directory);
  machine.mount({
    source: "tmpfs",
    target: directory,
    type: "tmpfs",
    flags: [],
    options: `mode=0700,size=${bytes + MIB}`,
  });
  try {
    machine.copyFile(source, `${directory}/${name}`, createProgress(machine, name, bytes, voice));
    return `${directory}/${name}`;
  } catch (error) {
    machine.unmount(directory);
    if (!isErrno(error, "ENOSPC", "ENOMEM", "EIO")) throw error;
    voice.warn(`copying ${printable(name)} to RAM failed (${headline(error)}); running from the medium`);
    return null;
  }
}

function createProgress(machine: Machine, name: string, bytes: number, voice: Voice): (done: number) => void {
  let nextMs = machine.nowMs() + NOTICE_EVERY_MS;
  return (done) => {
    if (machine.nowMs() < nextMs) return;
    nextMs = machine.nowMs() + NOTICE_EVERY_MS;
    voice.progress(
      `copying ${printable(name)} to RAM, ${mib(done)} of ${mib(bytes)} MiB (${Math.floor((done * 100) / bytes)} %)`,
    );
  };
}

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB);
}

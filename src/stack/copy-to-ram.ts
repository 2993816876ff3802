import { readText } from "../devices/block-devices.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";
import { headline, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";

const MIB = 2 ** 20;
/** What a system needs besides the copy to be worth starting. */
const KEEP_FREE_BYTES = 64 * MIB;
const NOTICE_EVERY_MS = 1000;

/** Copies an image into a tmpfs mounted at `directory`; returns the copy's path, or null with a warning if memory does not suffice or the copy fails: the boot then uses the medium. */
export function copyToRam(machine: Machine, source: string, directory: string, voice: Voice): string | null {
  const name = source.slice(source.lastIndexOf("/") + 1);
  const bytes = machine.stat(source)?.size ?? 0;
  const available = availableBytes(machine);
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

/** MemAvailable of /proc/meminfo, in bytes. */
function availableBytes(machine: Machine): number {
  const line = readText(machine, "/proc/meminfo").match(/^MemAvailable:\s+(\d+) kB/m);
  return Number(line?.[1] ?? 0) * 1024;
}

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB);
}

import type { Context } from "../drivers/context.ts";
import type { Machine } from "../machine/machine.ts";
import { readAvailableMemory } from "../machine/small-files.ts";
import { isErrno } from "../problems/errors.ts";
import { headline, printable } from "../problems/report.ts";
import { formatBytes } from "../problems/size.ts";
import type { Voice } from "../problems/voice.ts";

const MIB = 2 ** 20;
/** A system needs at least this much besides the copy. */
const KEEP_FREE_BYTES = 64 * MIB;
const NOTICE_EVERY_MS = 1000;

/** Copies an image into a tmpfs mounted at `directory`; returns the copy's path, or null with a warning if memory does not suffice or the copy fails: the boot then uses the medium. */
export function copyToRam({ machine, voice, undo }: Context, source: string, directory: string): string | null {
  const name = source.slice(source.lastIndexOf("/") + 1);
  const bytes = machine.stat(source)?.size ?? 0;
  const available = readAvailableMemory(machine) ?? 0;
  if (bytes + KEEP_FREE_BYTES > available) {
    const sizes = `it takes ${formatBytes(bytes)} and ${formatBytes(available)} are free`;
    voice.warn(`not copying ${printable(name)} to RAM: ${sizes}; running from the medium`);
    return null;
  }
  machine.makeDirectory(directory);
  const options = `mode=0700,size=${bytes + MIB}`;
  machine.mount({ source: "tmpfs", target: directory, type: "tmpfs", flags: [], options });
  try {
    machine.copyFile(source, `${directory}/${name}`, createProgress(machine, name, bytes, voice));
  } catch (error) {
    machine.unmount(directory);
    if (!isErrno(error, "ENOSPC", "ENOMEM", "EIO")) throw error;
    voice.warn(`copying ${printable(name)} to RAM failed (${headline(error)}); running from the medium`);
    return null;
  }
  undo(() => machine.unmount(directory));
  return `${directory}/${name}`;
}

function createProgress(machine: Machine, name: string, bytes: number, voice: Voice): (done: number) => void {
  let nextMs = machine.nowMs() + NOTICE_EVERY_MS;
  return (done) => {
    if (machine.nowMs() < nextMs) return;
    nextMs = machine.nowMs() + NOTICE_EVERY_MS;
    const percent = Math.floor((done * 100) / bytes);
    voice.progress(`copying ${printable(name)} to RAM, ${formatBytes(done)} of ${formatBytes(bytes)} (${percent} %)`);
  };
}

import type { Context } from "../drivers/context.ts";
import type { Machine } from "../machine/machine.ts";
import { readAvailableMemory } from "../machine/small-files.ts";
import { unlessRefused } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import { formatBytes } from "../problems/size.ts";
import type { Voice } from "../problems/voice.ts";

const MIB = 2 ** 20;
/** A system needs at least this much besides the copy. */
const KEEP_FREE_BYTES = 64 * MIB;
const NOTICE_EVERY_MS = 1000;

/** Copies the image `file`, which is on the device `node`, into a tmpfs mounted at `directory`; returns the copy's path, or null with a warning if memory does not suffice or the copy fails: the boot then uses the medium. */
export function copyToRam({ machine, voice, undo }: Context, file: string, node: string, directory: string) {
  const name = file.slice(file.lastIndexOf("/") + 1);
  const bytes = machine.stat(file)?.size ?? 0;
  const available = readAvailableMemory(machine) ?? 0;
  if (bytes + KEEP_FREE_BYTES > available) {
    const sizes = `it takes ${formatBytes(bytes)} and ${formatBytes(available)} are free`;
    voice.warn(`not copying ${printable(name)} to RAM: ${sizes}; running from the medium`);
    return null;
  }
  const target = `${directory}/${name}`;
  machine.makeDirectory(directory);
  const options = `mode=0700,size=${bytes + MIB}`;
  machine.mount({ source: "tmpfs", target: directory, type: "tmpfs", flags: [], options });
  let doneBytes = 0;
  const showProgress = createProgress(machine, name, bytes, voice);
  const failure = unlessRefused(
    () => {
      machine.copyFile(file, target, (done) => {
        doneBytes = done;
        showProgress(done);
      });
      const copied = machine.stat(target)?.size ?? 0;
      return copied === bytes ? null : `only ${formatBytes(copied)} of ${formatBytes(bytes)} could be read`;
    },
    (refusal) => `after ${formatBytes(doneBytes)} of ${formatBytes(bytes)}, ${describeRefusal(refusal)}`,
  );
  if (failure === null) {
    undo(() => machine.unmount(directory));
    return target;
  }
  machine.unmount(directory);
  voice.warn(`copying ${printable(name)} from ${node} to RAM failed: ${failure}; running from the medium`);
  return null;
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

import type { Context } from "../drivers/context.ts";
import type { Machine } from "../machine/machine.ts";
import { readAvailableMemory } from "../machine/small-files.ts";
import { unlessRefused } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import { formatBytes } from "../problems/size.ts";
import { createProgress } from "./verify/progress.ts";
import { requireMatch, updateChecks } from "./verify/read-checked.ts";
import type { StreamCheck } from "./verify/stream-check.ts";

const MIB = 2 ** 20;
/** A system needs at least this much besides the copy. */
const KEEP_FREE_BYTES = 64 * MIB;

/** What is copied into memory. */
export interface RamCopy {
  /** A file, or a block device with its content. */
  readonly source: string;
  /** Of the image on the medium; the copy has its file name. */
  readonly path: string;
  readonly bytes: number;
  /** The device of the medium. */
  readonly node: string;
  /** Where the tmpfs is mounted. */
  readonly directory: string;
  /** Of the image, while it is copied. */
  readonly checks: readonly StreamCheck[];
  /** Called if the medium cannot be read, before the boot falls back to it: may throw. */
  readonly onRefusal: (() => void) | null;
}

/** Copies an image into a tmpfs; returns the copy's path, or null with a warning if memory does not suffice or the copy fails: the boot then uses the medium. Throws BootError if a check does not match. */
export function copyToRam({ machine, voice, undo }: Context, copy: RamCopy): string | null {
  const { source, path, bytes, node, directory, checks, onRefusal } = copy;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const available = readAvailableMemory(machine) ?? 0;
  if (bytes + KEEP_FREE_BYTES > available) {
    const sizes = `it takes ${formatBytes(bytes)} and ${formatBytes(available)} are free`;
    voice.warn(`not copying ${printable(name)} to RAM: ${sizes}; running from the medium`);
    return null;
  }
  const target = `${directory}/${name}`;
  machine.makeDirectory(directory);
  mountTmpfs(machine, directory, `mode=0700,size=${bytes + MIB}`);
  let doneBytes = 0;
  const showProgress = createProgress({ machine, voice }, `copying ${printable(name)} to RAM`, bytes);
  try {
    const failure = unlessRefused(
      () => {
        machine.copyFile(source, target, {
          onProgress(done) {
            doneBytes = done;
            showProgress(done);
          },
          onBytes: checks.length === 0 ? undefined : (part) => updateChecks(checks, part),
        });
        const copied = machine.stat(target)?.size ?? 0;
        if (copied === bytes) requireMatch(printable(path), checks);
        return copied === bytes ? null : `only ${formatBytes(copied)} of ${formatBytes(bytes)} could be read`;
      },
      (refusal) => {
        onRefusal?.();
        return `after ${formatBytes(doneBytes)} of ${formatBytes(bytes)}, ${describeRefusal(refusal)}`;
      },
    );
    if (failure === null) {
      undo(() => machine.unmount(directory));
      return target;
    }
    voice.warn(`copying ${printable(name)} from ${node} to RAM failed: ${failure}; running from the medium`);
  } catch (error) {
    machine.unmount(directory);
    throw error;
  }
  machine.unmount(directory);
  return null;
}

/** With huge pages, filling it takes a third of the CPU time, and reading it two thirds; a kernel without them refuses the option. */
function mountTmpfs(machine: Machine, target: string, options: string): void {
  const mount = (all: string) => machine.mount({ source: "tmpfs", target, type: "tmpfs", flags: [], options: all });
  unlessRefused(
    () => mount(`${options},huge=always`),
    () => mount(options),
    "EINVAL",
  );
}

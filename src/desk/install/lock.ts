import { mkdirSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";
import { attempt, isDirectory } from "../host.ts";
import { cleanOnSignals } from "../temporary.ts";
import { RECORD } from "./record.ts";
import { AS_ROOT } from "./replace-file.ts";

const WAIT_MS = 200;
const LONGEST_WAIT_MS = 900_000;

/** Runs `action` while no other levain changes the hooks or images below `root`: two kernels may be installed at once. Throws BootError. */
export async function withLock<T>(machine: Machine, root: string, action: () => Promise<T>): Promise<T> {
  const directory = join(root, dirname(RECORD));
  const startMs = performance.now();
  for (let isFirst = true; ; isFirst = false) {
    // Its lock is root's: no user can open the directory, and so none can hold up an update.
    attempt(`cannot write ${directory}`, () => makePrivate(directory), AS_ROOT);
    const tree = machine.openTree(directory, "as mounted");
    try {
      // levain uninstall may have removed it.
      if (tree.lock() && isDirectory(directory)) return await runWhole(action).finally(() => removeIfEmpty(directory));
    } finally {
      tree.close();
    }
    if (performance.now() - startMs > LONGEST_WAIT_MS) {
      throw new BootError(`another levain install has been running for ${LONGEST_WAIT_MS / 60_000} minutes`, {
        hint: "wait until it ends, or end it, and run the command again",
      });
    }
    if (isFirst) console.error("waiting for another levain install");
    await Bun.sleep(WAIT_MS);
  }
}

function makePrivate(directory: string): void {
  // The mode would be that of all that are missing: /var too, in a system that has not booted yet.
  mkdirSync(dirname(directory), { recursive: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** A signal ends an action only where it waits: between two files, or while an image is compressed. */
async function runWhole<T>(action: () => Promise<T>): Promise<T> {
  const forget = cleanOnSignals(() => {
    console.error("interrupted: each file and each image is as before or complete");
    console.error("hint: run the command again, or levain uninstall");
  });
  try {
    return await action();
  } finally {
    forget();
  }
}

/** Nothing is installed, or no longer. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    return; // the record is in it, or another levain has removed it
  }
}

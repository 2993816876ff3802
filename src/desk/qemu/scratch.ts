import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "../host.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Calls `use` with a new directory that only this user can enter, and removes it afterwards, also when a signal ends this program;
 * `use` may add what is to be done then first.
 */
export async function withScratch<T>(
  use: (directory: string, onSignal: (act: () => void) => void) => Promise<T>,
): Promise<T> {
  const directory = attempt("cannot create a temporary directory", () => mkdtempSync(join(tmpdir(), "levain-")));
  const acts: (() => void)[] = [];
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const stop = (signal: (typeof SIGNALS)[number]) => {
    for (const act of acts) act();
    remove();
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    return await use(directory, (act) => acts.push(act));
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
    remove();
  }
}

/** What to try where a temporary file finds no space. */
export const SPACE_HINT = "free some space, or name a larger directory in $TMPDIR";

/** Writes a file that only this user can read. Returns its path. Throws BootError. */
export function saveFile(path: string, bytes: Uint8Array): string {
  attempt(`cannot write ${path}`, () => writeFileSync(path, bytes, { mode: 0o600 }), SPACE_HINT);
  return path;
}

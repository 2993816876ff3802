import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { printable } from "../problems/report.ts";
import { attempt } from "./host.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Has `act` done if a signal ends this program. Returns a function that takes that back. */
export function onSignals(act: () => void): () => void {
  const stop = (signal: (typeof SIGNALS)[number]) => {
    act();
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
}

/**
 * Calls `use` with a new directory in `parent` that only this user can enter, and removes it afterwards, also when a signal ends this
 * program; `use` may add what is to be done then first.
 */
export async function withScratch<T>(
  use: (directory: string, onSignal: (act: () => void) => void) => Promise<T>,
  { parent = tmpdir(), prefix = "levain-" }: { readonly parent?: string; readonly prefix?: string } = {},
): Promise<T> {
  const directory = attempt(`cannot write to ${printable(parent)}`, () => mkdtempSync(join(parent, prefix)));
  const acts: (() => void)[] = [];
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const forget = onSignals(() => {
    for (const act of acts) act();
    remove();
  });
  try {
    return await use(directory, (act) => acts.push(act));
  } finally {
    forget();
    remove();
  }
}

/** Writes a file that only this user can read. Returns its path. Throws BootError. */
export function saveFile(path: string, bytes: Uint8Array): string {
  const hint = "free some space, or name a larger directory in $TMPDIR";
  attempt(`cannot write ${path}`, () => writeFileSync(path, bytes, { mode: 0o600 }), hint);
  return path;
}

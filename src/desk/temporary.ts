import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { printable } from "../problems/report.ts";
import { attempt } from "./host.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What to try where a temporary file finds no space. */
export const SPACE_HINT = "free some space, or name a larger directory in $TMPDIR";

const cleaners = new Set<() => void>();

/** The newest first: it may be in a directory of an older one. */
function stop(signal: (typeof SIGNALS)[number]): void {
  for (const clean of [...cleaners].toReversed()) clean();
  process.exit(128 + constants.signals[signal]);
}

/** Has `clean` called if a signal ends this program. Returns a function that takes that back. */
export function cleanOnSignals(clean: () => void): () => void {
  if (cleaners.size === 0) for (const signal of SIGNALS) process.on(signal, stop);
  cleaners.add(clean);
  return () => {
    cleaners.delete(clean);
    if (cleaners.size === 0) for (const signal of SIGNALS) process.off(signal, stop);
  };
}

/**
 * Calls `use` with a new, empty directory in `parent` that only this user can enter, and removes it afterwards (after the promise that `use`
 * returns), also when a signal ends this program; `use` may add what is to be done then first.
 */
export function withTemporary<T>(
  use: (directory: string, onSignal: (act: () => void) => void) => T,
  { parent = tmpdir(), prefix = "levain-" }: { readonly parent?: string; readonly prefix?: string } = {},
): T {
  const directory = attempt(`cannot write to ${printable(parent)}`, () => mkdtempSync(join(parent, prefix)));
  const acts: (() => void)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const forget = cleanOnSignals(() => {
    for (const act of acts.toReversed()) act();
  });
  const end = () => {
    acts[0]?.();
    forget();
  };
  let isPending = false;
  try {
    const result = use(directory, (act) => acts.push(act));
    isPending = result instanceof Promise;
    return result instanceof Promise ? (result.finally(end) as T) : result;
  } finally {
    if (!isPending) end();
  }
}

/** Writes a file that only this user can read. Returns its path. Throws BootError. */
export function saveFile(path: string, bytes: Uint8Array): string {
  attempt(`cannot write ${path}`, () => writeFileSync(path, bytes, { mode: 0o600 }), SPACE_HINT);
  return path;
}

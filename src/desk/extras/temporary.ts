import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "../host.ts";
import { onSignals } from "../scratch.ts";

/** Runs `use` with a new, empty directory that only this user can enter, and removes it afterwards, also on a signal. */
export function withTemporary<T>(use: (directory: string) => T): T {
  const directory = attempt("cannot make a temporary directory", () => mkdtempSync(join(tmpdir(), "levain-")));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const forget = onSignals(remove);
  try {
    return use(directory);
  } finally {
    remove();
    forget();
  }
}

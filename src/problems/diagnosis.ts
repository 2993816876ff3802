import type { Hint, Need } from "./errors.ts";

/** The words for a problem. Every text begins with a lower-case letter and has no full stop. */
export interface Diagnosis<Facts> {
  /** What failed, as a clause. */
  readonly text: (facts: Readonly<Facts>) => string;
  /** The reasons, a clause each; the cause of the error follows them. */
  readonly reasons?: (facts: Readonly<Facts>) => readonly string[];
  /** What to try: alternatives, of which a report shows those that the user can follow. */
  readonly hints?: (facts: Readonly<Facts>) => readonly Hint[];
}

/** Makes a row of a table: of a diagnosis, or of its text alone. */
export function diagnosis<Facts extends object>(row: Diagnosis<Facts> | Diagnosis<Facts>["text"]): Diagnosis<Facts> {
  return typeof row === "function" ? { text: row } : row;
}

function needing(needs: Need | null): (text: string) => Hint {
  return (text) => ({ text, needs });
}

/** A hint that needs a shell on the machine that does not boot: `levain retry`, dmesg. */
export const inShell = needing("shell");
/** A hint that needs another kernel command line. */
export const inBootLoader = needing("boot loader");
/** A hint that needs another image: levain image, levain.toml, the root filesystem. */
export const inBuilder = needing("builder");
/** A hint that needs hands at the machine: plug in, write again, switch off. */
export const byHand = needing("hands");

/** What to try if a process of the boot was ended. */
export const IF_MEMORY_RAN_OUT = byHand("add memory, if the kernel log says that memory ran out");

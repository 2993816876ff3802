import type { Hint, Need } from "./errors.ts";

/** The words for a problem. Every text begins with a lower-case letter and has no full stop. */
export interface Diagnosis<Facts> {
  /** What failed, as a clause. */
  readonly text: (facts: Facts) => string;
  /** The reasons, a clause each; the cause of the error follows them. */
  readonly reasons?: (facts: Facts) => readonly string[];
  /** What to try: alternatives, of which a report shows those that the user can follow. */
  readonly hints?: (facts: Facts) => readonly Hint[];
}

/** Gives a row of a table its type. */
export function diagnosis<Facts extends object>(row: Diagnosis<Facts>): Diagnosis<Facts> {
  return row;
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

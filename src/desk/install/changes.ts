import { printable, report } from "../../problems/report.ts";
import { writeLine } from "../standard-output.ts";

/** A file that is written, removed or restored. */
export interface Change {
  readonly path: string;
  /** For the user: what the file does, or what was done with it. */
  readonly does: string;
  /** Of an image. */
  readonly kernel?: string;
  readonly bytes?: number;
  readonly seconds?: number;
}

/** Where a command tells what it does. */
export interface ChangeLog {
  readonly tell: (change: Change) => void;
  /** A line that JSON does not need. */
  readonly say: (text: string) => void;
  /** Something stays that should not. */
  readonly warn: (text: string) => void;
  readonly fail: (error: Error) => void;
  /** Returns the exit status: 1 after a warning or a failure. */
  readonly end: () => number;
}

/** Prints each change at once, or all of them at the end as JSON beside `facts`. Problems go to standard error too. */
export function createChangeLog(isJson: boolean, facts: object): ChangeLog {
  const changes: Change[] = [];
  const problems: string[] = [];
  const complain = (lines: readonly string[]) => {
    problems.push(lines.join("\n"));
    console.error(lines.join("\n"));
  };
  const say = (text: string) => {
    if (!isJson) writeLine(printable(text));
  };
  return {
    say,
    tell(change) {
      changes.push(change);
      say(`${change.path}  ${change.does}`);
    },
    warn: (text) => complain([`warning: ${printable(text)}`]),
    fail: (error) => complain(report(error)),
    end() {
      if (isJson) writeLine(JSON.stringify({ ...facts, changes, problems }, null, 2));
      return problems.length === 0 ? 0 : 1;
    },
  };
}

import { printable } from "../problems/report.ts";
import { flag } from "./command-line.ts";

/** The --json option of the commands that report with rows. */
export const JSON_OPTION = { json: flag("Print JSON") } as const;

/** One fact of a report. */
export interface Row {
  /** Before the text; JSON has it as a key in camel case. */
  readonly label: string;
  readonly value: unknown;
  /** null: only JSON has this fact. */
  readonly text: string | null;
}

/** Makes a row. `describe` gets nothing but the value, so the text cannot say what JSON does not. */
export function row<Value>(label: string, value: Value, describe: (value: Value) => string | null): Row {
  return { label, value, text: describe(value) };
}

const LEAST_WIDTH = 8;

/** Formats a report about the file `output`: JSON, or a line for each fact. */
export function formatReport(output: string, rows: readonly Row[], isJson: boolean): string {
  if (isJson) {
    const facts = rows.map(({ label, value }) => [
      label.replaceAll(/ (.)/g, (_, initial: string) => initial.toUpperCase()),
      value,
    ]);
    return JSON.stringify({ output, ...Object.fromEntries(facts) }, null, 2);
  }
  const shown = rows.flatMap(({ label, text }) => (text === null ? [] : [[label, text] as const]));
  const width = Math.max(LEAST_WIDTH, ...shown.map(([label]) => label.length));
  return [output, ...shown.map(([label, text]) => `  ${label.padEnd(width)} ${text}`)].map(printable).join("\n");
}

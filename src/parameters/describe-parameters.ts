import { wrapLine } from "../problems/report.ts";
import { PARAMETER_GROUPS } from "./parameters.ts";

const WIDTH = 78;
const INDENT = 6;

/** Formats the table of parameters for a terminal: `levain help parameters`. */
export function describeParameters(): string {
  const lines = ["Kernel command line parameters. - and _ in names are equal. Of several values, the last counts.", ""];
  for (const { title, rows } of PARAMETER_GROUPS) {
    lines.push(title, "");
    for (const row of rows) {
      lines.push(`  ${[row.syntax, ...row.aliases.map(({ syntax }) => syntax)].join("  ")}`);
      lines.push(...wrapLine(`${" ".repeat(INDENT)}${row.text} Default: ${row.fallback}.`, INDENT, WIDTH), "");
    }
  }
  return lines.join("\n");
}

import { PARAMETER_GROUPS } from "./parameters.ts";

const WIDTH = 100;
const INDENT = "      ";

/** The table of parameters as text for a terminal: what `levain help parameters` says. */
export function describeParameters(): string {
  const lines = ["Parameters of the kernel command line. - and _ in names are equal; of several the last counts.", ""];
  for (const { title, rows } of PARAMETER_GROUPS) {
    lines.push(title, "");
    for (const row of rows) {
      lines.push(`  ${[row.syntax, ...row.aliases.map(({ syntax }) => syntax)].join("  ")}`);
      lines.push(...wrap(`${row.text} Default: ${row.fallback}.`), "");
    }
  }
  return lines.join("\n");
}

/** Broken at spaces, indented. */
function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of text.split(" ")) {
    const fits = line.length + word.length < WIDTH || line === INDENT;
    if (!fits) lines.push(line.trimEnd());
    line = `${fits ? line : INDENT}${word} `;
  }
  return [...lines, line.trimEnd()];
}

import { type ArgsDef, renderUsage } from "citty";
import { explainUnsupported } from "../parameters/dialects/unsupported.ts";
import { isKernelParameter } from "../parameters/kernel-parameters.ts";
import { suggest } from "../parameters/near-misses.ts";
import { describeParameter, describeParameters, listParameterNames } from "../parameters/parameters.ts";
import { printable, wrapLine } from "../problems/report.ts";
import { type Command, optionalValues, UsageError } from "./command-line.ts";

/** The width of a console, and of what is no terminal or does not know its width, as a serial line. */
const USUAL_COLUMNS = 80;
/** Text in fewer columns cannot be read. */
const LEAST_COLUMNS = 40;

/** Returns the width for a help text on `stream`. */
export function columnsOf({ columns = 0 }: { readonly columns?: number }): number {
  return columns > 0 ? Math.max(columns, LEAST_COLUMNS) : USUAL_COLUMNS;
}

/** Formats citty's help without colours, and the command's examples. */
export async function formatUsage(command: Command, parent: Command | undefined, columns: number): Promise<string> {
  const text = markOptional(command, Bun.stripANSI(await renderUsage(command, parent)))
    .replace(/ \(levain.*\)$/m, "")
    .replace(/\S+\|\S+$/m, "<COMMAND>")
    .replace(hasOptions(command) ? "" : " [OPTIONS]", "")
    .trimEnd();
  const examples = Object.entries(command.examples ?? {});
  const lines = [
    ...text.split("\n"),
    ...(examples.length === 0 ? [] : ["", "EXAMPLES", ""]),
    ...examples.flatMap(([line, what]) => [`  ${line}`, `      ${what}`]),
  ];
  return lines.flatMap((line) => wrapRow(line.trimEnd(), columns)).join("\n");
}

/** citty writes every value as if it were required. */
function markOptional({ args }: Command, text: string): string {
  const names = optionalValues((args ?? {}) as ArgsDef);
  return names.reduce((all, name) => all.replace(new RegExp(`--${name}=<(\\w+)>`), `--${name}[=$1]`), text);
}

/** The list of commands has an option of its own: --version. */
function hasOptions({ args }: Command): boolean {
  return Object.values((args ?? {}) as ArgsDef).some(({ type }) => type !== "positional");
}

/** Where a second column would be narrower than this, it goes below the first. */
const LEAST_SECOND_COLUMN = 24;
const BELOW = 8;

/** Wraps a line; the continuation of a row with two columns is below the second. */
function wrapRow(line: string, columns: number): readonly string[] {
  const [head = ""] = /^ +\S.*? {4,}(?=\S)/.exec(line) ?? [];
  if (head === "") return wrapLine(line, /^ */.exec(line)?.[0].length ?? 0, columns);
  if (columns - head.length >= LEAST_SECOND_COLUMN) return wrapLine(line, head.length, columns);
  return [head.trimEnd(), ...wrapLine(`${" ".repeat(BELOW)}${line.slice(head.length)}`, BELOW, columns)];
}

/** Explains `parameters` or a parameter ("rd.timeout", "rd.timeout=60"). Throws UsageError for anything else. */
export function explainTopic(topic: string, commands: readonly string[], columns: number): string {
  if (topic === "parameters") return describeParameters(columns);
  const [name = ""] = topic.split("=", 1);
  const entries = describeParameter(name, columns);
  if (entries.length > 0) return entries.join("\n");
  const means = explainUnsupported(name);
  if (means !== null) return `${printable(name)} is not supported: ${means}`;
  if (isKernelParameter(name)) return `${printable(name)} is a parameter of the kernel, which levain does not use`;
  const near = suggest(name, [...commands, ...listParameterNames()]);
  throw new UsageError(
    `Unknown command or parameter '${topic}'${near}`,
    "levain help lists the commands, levain help parameters the parameters",
  );
}

import { runCommand } from "citty";
import type { Machine } from "../machine/machine.ts";
import { printable, report } from "../problems/report.ts";
import { type Command, UsageError } from "./command-line.ts";

/** Runs a command; with `debug`, a failure is followed by where in the program it happened. Returns the exit status: 1 if it failed, 2 if its command line is wrong. */
export async function runOne(
  command: Command,
  name: string,
  rawArgs: string[],
  machine: Machine,
  debug = false,
): Promise<number> {
  try {
    const { result } = await runCommand(command, { rawArgs, data: machine });
    return typeof result === "number" ? result : 0;
  } catch (error) {
    if (!(error instanceof UsageError || (error instanceof Error && error.name === "CLIError"))) {
      console.error(report(error).join("\n"));
      if (debug) console.error(printable(Bun.inspect(error)).replaceAll("\\x0a", "\n"));
      return 1;
    }
    const hint = (error instanceof UsageError ? error.hint : null) ?? `${name} --help lists its options`;
    console.error(`${printable(Bun.stripANSI(error.message))}\nhint: ${hint}`);
    return 2;
  }
}

/** Returns true if one of these words asks for help. */
export function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === "--help" || word === "-h");
}

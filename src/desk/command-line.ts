import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";

/** A command line that was not understood; `message` says how. Ends in the command's help and exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Options by name: every value that was given, in order; and the words that are no options. */
export interface CommandWords {
  /** The last value of an option, or null. */
  one(name: string): string | null;
  /** Every value of an option that may be repeated. */
  all(name: string): readonly string[];
  has(name: string): boolean;
  readonly words: readonly string[];
}

/**
 * Reads a command's own words by the table citty shows its help from. citty itself keeps only the last of repeated options
 * and passes over unknown ones, so its reading is not used. Throws UsageError.
 */
export function readCommandLine(rawArgs: readonly string[], args: ArgsDef): CommandWords {
  const options: Record<string, { type: "string" | "boolean"; multiple: true; short?: string }> = {};
  for (const [name, definition] of Object.entries(args)) {
    if (definition.type === "positional") continue;
    const aliases = "alias" in definition ? [definition.alias ?? []].flat() : [];
    const short = aliases.find((candidate) => candidate.length === 1);
    options[name] = {
      type: definition.type === "boolean" ? "boolean" : "string",
      multiple: true,
      ...(short ? { short } : {}),
    };
  }
  const { values, positionals } = parseStrictly(rawArgs, options);
  const all = (name: string) => (values[name] ?? []).filter((value) => typeof value === "string");
  const empty = Object.keys(values).find((name) => all(name).includes(""));
  if (empty !== undefined) throw new UsageError(`Option '--${empty}' expects a value but received nothing`);
  return {
    all,
    one: (name) => all(name).at(-1) ?? null,
    has: (name) => values[name] !== undefined,
    words: positionals,
  };
}

function parseStrictly(rawArgs: readonly string[], options: NonNullable<Parameters<typeof parseArgs>[0]>["options"]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...rawArgs],
      options: options ?? {},
      strict: true,
      allowPositionals: true,
    });
    return { values: values as Record<string, (string | boolean)[] | undefined>, positionals };
  } catch (error) {
    // Only the first sentence is about the mistake.
    throw new UsageError((error instanceof Error ? error.message : String(error)).split(". ")[0] ?? "");
  }
}

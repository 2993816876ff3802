import { parseArgs } from "node:util";
import { type ArgsDef, type CommandDef, defineCommand } from "citty";
import type { Machine } from "../machine/machine.ts";
import { suggest } from "../parameters/near-misses.ts";
import { printable } from "../problems/report.ts";

/** A command line that was not understood; `message` says why, and is safe to print whatever it quotes. The exit status is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** What to try; null: the help of the command. */
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(printable(message));
    this.hint = hint;
  }
}

/** Options by name, with every value that was given, and the arguments that are no options. */
export interface CommandWords {
  /** Returns the last value of an option, or null. */
  one(name: string): string | null;
  /** Returns every value of a repeatable option, in order. */
  all(name: string): readonly string[];
  has(name: string): boolean;
  readonly words: readonly string[];
}

/** What `levain NAME` needs to run and to explain itself. */
export interface CommandText {
  readonly name: string;
  /** In the imperative, on one line of the list of commands. */
  readonly description: string;
  /** A positional whose name ends with "..." takes any number of arguments. */
  readonly args?: ArgsDef;
  readonly examples: Readonly<Record<string, string>>;
  /** Returns the exit status. */
  readonly run: (line: CommandWords, machine: Machine) => number | Promise<number>;
}

// biome-ignore lint/suspicious/noExplicitAny: citty's own type for commands with any arguments
type AnyCommand = CommandDef<any>;

/** A command of citty, with its examples. */
export type Command = AnyCommand & Partial<Pick<CommandText, "examples">>;

/** An option with a value: `-ALIAS, --NAME=<HINT>`. */
export const option = (valueHint: string, description: string, alias?: string) =>
  ({ type: "string", valueHint, description, ...(alias !== undefined && { alias }) }) as const;

/** An option whose value may be left out: `--NAME[=HINT]`; its value is then "". */
export const flagOrOption = (valueHint: string, description: string) =>
  ({ ...option(valueHint, description), isOptional: true }) as const;

/** Returns the names of the options whose values may be left out. */
export function optionalValues(args: ArgsDef): readonly string[] {
  return Object.entries(args).flatMap(([name, definition]) => ("isOptional" in definition ? [name] : []));
}

/** An option without a value. */
export const flag = (description: string, alias?: string) =>
  ({ type: "boolean", description, ...(alias !== undefined && { alias }) }) as const;

/** A positional argument. */
export const argument = (description: string, required = true) =>
  ({ type: "positional", description, required }) as const;

/** Makes a citty command whose arguments are read by `readCommandLine`. */
export function command({ name, description, args = {}, examples, run }: CommandText): Command {
  const definition = defineCommand({
    meta: { name, description },
    args,
    // `data` is what runDesk passes to runCommand.
    run: ({ rawArgs, data }) => run(readCommandLine(rawArgs, args), data),
  });
  return { ...definition, examples };
}

/**
 * Reads command-line arguments by citty's table. citty itself keeps only the last of repeated options and ignores unknown
 * ones, so its result is not used. Throws UsageError.
 */
export function readCommandLine(rawArgs: readonly string[], args: ArgsDef): CommandWords {
  const definitions = Object.entries(args);
  const positionals = definitions.filter(([, { type }]) => type === "positional").map(([name]) => name);
  const options = definitions.flatMap(([name, definition]) => {
    if (definition.type === "positional") return [];
    const short = "alias" in definition && typeof definition.alias === "string" ? { short: definition.alias } : {};
    const type: "boolean" | "string" = definition.type === "boolean" ? "boolean" : "string";
    return [[name, { type, multiple: true, ...short }] as const];
  });
  const bare = optionalValues(args).map((name) => `--${name}`);
  const end = rawArgs.indexOf("--");
  const spelled = rawArgs.map((word, at) =>
    bare.includes(word) && (end < 0 || at < end) ? `${word}=${LEFT_OUT}` : word,
  );
  const { values, positionals: words } = parseStrictly(spelled, Object.fromEntries(options));
  const all = (name: string) => (values[name] ?? []).filter((value) => typeof value === "string");
  const empty = Object.keys(values).find((name) => all(name).includes(""));
  if (empty !== undefined) throw new UsageError(`Option '--${empty}' needs a value`);
  const extra = positionals.at(-1)?.endsWith("...") ? undefined : words[positionals.length];
  if (extra !== undefined) throw new UsageError(`Unexpected argument '${extra}'`);
  const given = (name: string) => all(name).map((value) => (value === LEFT_OUT ? "" : value));
  return { all: given, one: (name) => given(name).at(-1) ?? null, has: (name) => values[name] !== undefined, words };
}

/** Stands for a value that was left out: no argument can contain it. */
const LEFT_OUT = "\0";

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

function parseStrictly(rawArgs: readonly string[], options: Options) {
  try {
    const parsed = parseArgs({ args: [...rawArgs], options, strict: true, allowPositionals: true });
    return { ...parsed, values: parsed.values as Record<string, (string | boolean)[] | undefined> };
  } catch (error) {
    // Only the first sentence describes the mistake.
    const mistake = (error instanceof Error ? error.message : String(error)).split(". ")[0] ?? "";
    throw new UsageError(`${mistake}${suggestOption(rawArgs, Object.keys(options))}`);
  }
}

/** Returns a suggestion for the first long option that does not exist. */
function suggestOption(rawArgs: readonly string[], names: readonly string[]): string {
  const given = rawArgs.flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? []);
  const unknown = given.find((name) => !names.includes(name));
  const known = names.map((name) => `--${name}`);
  return unknown === undefined ? "" : suggest(`--${unknown}`, known);
}

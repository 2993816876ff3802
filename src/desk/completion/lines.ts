import type { ArgsDef } from "citty";
import type { Command } from "../command-line.ts";

/** The names that a shell completes after an option, or in place of an argument. */
export type Completes = "file" | "directory" | "nothing";

/** An option of a command. */
export interface OptionLine {
  /** "--output", and "-o" if it has an alias. */
  readonly words: readonly string[];
  readonly text: string;
  /** Of its value; null if it has none. */
  readonly value: Completes | null;
}

/** A command with what can follow it. */
export interface CommandLine {
  readonly name: string;
  readonly text: string;
  readonly options: readonly OptionLine[];
  readonly argument: Completes;
  /** What an argument can be, where its name says no more. */
  readonly choices: readonly string[];
}

const HELP: OptionLine = { words: ["--help", "-h"], text: "Explain the command", value: null };

/** Names of values and arguments, in capitals, that are files or directories. */
const KINDS: readonly (readonly [RegExp, Completes])[] = [
  [/^(FILE|IMAGE|SRC|SCRIPT|KEY|CERT|HINTS|FIRST|SECOND|DEVICE)/, "file"],
  [/^DIR/, "directory"],
];

const kindOf = (hint: string): Completes =>
  KINDS.find(([pattern]) => pattern.test(hint.toUpperCase()))?.[1] ?? "nothing";

/** Returns what a shell can complete, by the definitions of the commands. */
export function listCommandLines(
  commands: Readonly<Record<string, Command>>,
  choices: Readonly<Record<string, readonly string[]>>,
): readonly CommandLine[] {
  return Object.entries(commands).map(([name, { args, meta }]) => {
    const definitions = (args ?? {}) as ArgsDef;
    const positionals = Object.entries(definitions)
      .filter(([, { type }]) => type === "positional")
      .map(([word]) => kindOf(word));
    return {
      name,
      text: (meta as { readonly description?: string }).description ?? "",
      options: listOptions(definitions),
      argument: positionals.find((kind) => kind !== "nothing") ?? "nothing",
      choices: choices[name] ?? [],
    };
  });
}

/** Returns the options among these definitions, and --help. */
export function listOptions(definitions: ArgsDef): readonly OptionLine[] {
  return [...Object.entries(definitions).flatMap(([name, definition]) => describeOption(name, definition)), HELP];
}

function describeOption(name: string, definition: ArgsDef[string]): readonly OptionLine[] {
  if (definition.type === "positional") return [];
  const alias = "alias" in definition && typeof definition.alias === "string" ? [`-${definition.alias}`] : [];
  // A value that may be left out does not follow as a word of its own.
  const isAlone = definition.type === "boolean" || "isOptional" in definition;
  const value = isAlone ? null : kindOf(("valueHint" in definition && definition.valueHint) || "");
  return [{ words: [`--${name}`, ...alias], text: definition.description ?? "", value }];
}

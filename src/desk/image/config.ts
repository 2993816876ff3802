import { readFileSync } from "node:fs";
import * as v from "valibot";
import { suggest } from "../../parameters/near-misses.ts";
import { readParameters, splitParameter } from "../../parameters/read-parameters.ts";
import { BootError } from "../../problems/errors.ts";
import { parseCompression } from "../archive/compress.ts";
import { attempt } from "../host.ts";
import { parseSigningKey } from "../uki/options.ts";
import { parseAddition } from "./addition.ts";
import { isOfPolicy } from "./policy.ts";
import { parseRuntime } from "./runtime.ts";
import { type Mistake, readStatements } from "./toml-statements.ts";

const text = v.pipe(v.string(), v.minLength(1, "expected a string that is not empty"));
const list = v.optional(v.array(text), []);

/** A string that `parse` accepts; the message of its BootError becomes the issue. */
function readableBy(parse: (text: string) => unknown) {
  return v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      try {
        if (dataset.typed) parse(dataset.value);
      } catch (error) {
        addIssue({ message: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
}

/** Throws BootError for a parameter that every boot would refuse. */
function requireParameter(given: string): void {
  if (given === "") throw new BootError('expected a string that is not empty but received ""');
  const { mistakes } = readParameters([{ origin: "levain.toml", words: [splitParameter(given)] }]);
  const [mistake] = mistakes;
  if (mistake !== undefined) throw new BootError(mistake.text);
}

/** Throws BootError for a parameter that must hold even if the boot crashes: process 1 knows only those of all machines. */
function requireMachineParameter(given: string): void {
  requireParameter(given);
  if (!isOfPolicy(given)) return;
  throw new BootError(`${given.split("=")[0]} must be in parameters of the file, for all machines`);
}

const schema = v.strictObject({
  output: v.optional(text),
  kernel: v.optional(text),
  "modules-dir": v.optional(text),
  modules: list,
  hostonly: v.optional(v.boolean(), false),
  network: v.optional(v.boolean(), false),
  "modprobe-dirs": list,
  busybox: v.optional(text),
  init: v.optional(text),
  runtime: v.optional(readableBy(parseRuntime)),
  add: v.optional(v.array(readableBy((addition) => parseAddition(addition, "/"))), []),
  programs: list,
  keymaps: list,
  compress: v.optional(readableBy(parseCompression)),
  parameters: v.optional(v.array(readableBy(requireParameter)), []),
  machine: v.optional(
    v.record(v.string(), v.strictObject({ parameters: v.array(readableBy(requireMachineParameter)) })),
    {},
  ),
  uki: v.optional(
    v.strictObject({
      linux: v.optional(text),
      stub: v.optional(text),
      cmdline: v.optional(text),
      "os-release": v.optional(text),
      splash: v.optional(text),
      sign: v.optional(readableBy((key) => parseSigningKey(key, "/"))),
    }),
    {},
  ),
});

/** The keys of levain.toml. */
export const CONFIG_KEYS: readonly string[] = Object.keys(schema.entries);

/** levain.toml: the options of `levain image` by their names, repeatable ones as lists, and `parameters`. */
export type ImageConfig = v.InferOutput<typeof schema>;

/** Reads levain.toml. Throws a BootError that reports all mistakes with their lines, in order. */
export function readConfig(path: string): ImageConfig {
  const what = `cannot read the configuration ${path}`;
  return parseConfig(
    attempt(what, () => readFileSync(path, "utf8"), "check the path after --config"),
    path,
  );
}

/** Parses the text of levain.toml; `path` is for the messages. */
export function parseConfig(source: string, path: string): ImageConfig {
  const statements = readStatements(source);
  const result = v.safeParse(schema, statements.values);
  // At the top, it stops at the first unknown key.
  const issues = (result.issues ?? []).filter(
    ({ type, path: at }) => type !== "strict_object" || (at ?? []).length > 1,
  );
  const mistakes = [...statements.mistakes, ...listUnknown(statements), ...issues.map(describe)];
  if (result.success && mistakes.length === 0) return result.output;
  const seen = mistakes
    .sort((one, other) => one.line - other.line)
    .map(({ line, text: what }) => `line ${line}: ${what}`);
  const isMalformed = statements.mistakes.length > 0;
  const quotes = 'write lists as modules = ["a", "b"], and strings in double quotes';
  throw new BootError(`${path} has ${mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`}`, {
    seen,
    hint: `the keys are ${CONFIG_KEYS.join(", ")}${isMalformed ? `; ${quotes}` : ""}`,
  });

  function describe(issue: Issue): Mistake {
    const [key, element] = (issue.path ?? []).map(({ key: step }) => step);
    return { line: statements.lineOf(String(key), typeof element === "number" ? element : 0), text: explain(issue) };
  }
}

function listUnknown({ values, lineOf }: ReturnType<typeof readStatements>): readonly Mistake[] {
  const unknown = Object.keys(values).filter((key) => !CONFIG_KEYS.includes(key));
  return unknown.map((key) => ({ line: lineOf(key, 0), text: `unknown key ${key}${suggest(key, CONFIG_KEYS)}` }));
}

type Issue = v.InferIssue<typeof schema>;

function explain(issue: Issue): string {
  const keys = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? `[${key + 1}]` : `.${String(key)}`));
  const path = keys.join("").slice(1);
  if (issue.type === "min_length") return `${path}: ${issue.message} but received ""`;
  if (issue.type === "raw_check") return `${path}: ${issue.message}`;
  return `${path}: expected ${name(issue.expected)} but received ${name(issue.received)}`;
}

// Names of types in valibot's issues, and of Bun's dates.
const NAMES: ReadonlyMap<string, string> = new Map([
  ...[["string", "a string"] as const, ["Array", "a list"] as const, ["Object", "a table"] as const],
  ...["Instant", "PlainDate", "PlainDateTime"].map((type) => [type, "a date"] as const),
  ["PlainTime", "a time"],
  ["boolean", "true or false"],
]);

function name(type: string | null): string {
  return NAMES.get(type ?? "") ?? type ?? "";
}

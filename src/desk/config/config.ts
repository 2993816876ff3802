import { readFileSync } from "node:fs";
import * as v from "valibot";
import { parsePasswordHash } from "../../keys/shell-password.ts";
import { suggest } from "../../parameters/near-misses.ts";
import { readParameters, splitParameter } from "../../parameters/read-parameters.ts";
import { BootError } from "../../problems/errors.ts";
import { parseCompression } from "../archive/compress.ts";
import { attempt } from "../host.ts";
import { parseAddition } from "../image/addition.ts";
import { isOfPolicy } from "../image/policy.ts";
import { parseRuntime } from "../image/runtime.ts";
import { explainIssue, readableBy } from "../schema-issues.ts";
import { parseSigningKey } from "../uki/options.ts";
import { type Mistake, readStatements } from "./toml-statements.ts";

const text = v.pipe(v.string(), v.minLength(1, "expected a string that is not empty"));
const list = v.optional(v.array(text), []);

/** Throws BootError for a parameter that every boot would refuse. */
export function requireParameter(given: string): void {
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

/** Throws BootError for what is no hash of a password. */
function requirePasswordHash(given: string): void {
  if (parsePasswordHash(given) !== null) return;
  throw new BootError("expected a hash by Argon2id such as $argon2id$v=19$m=32768,t=4,p=1$…, of at most 1 GiB");
}

/** The schema of levain.toml; build/docs.ts makes the JSON schema of it. */
export const CONFIG_SCHEMA = v.strictObject({
  output: v.optional(text),
  kernel: v.optional(text),
  "modules-dir": v.optional(text),
  modules: list,
  host: v.optional(v.union([v.boolean(), text]), false),
  network: v.optional(v.boolean(), false),
  "modprobe-dirs": list,
  busybox: v.optional(text),
  init: v.optional(text),
  runtime: v.optional(readableBy(parseRuntime)),
  add: v.optional(v.array(readableBy((addition) => parseAddition(addition, "/"))), []),
  programs: list,
  keymaps: list,
  compress: v.optional(readableBy(parseCompression)),
  microcode: v.optional(v.boolean(), false),
  firmware: list,
  strip: v.optional(v.boolean(), false),
  hooks: list,
  parameters: v.optional(v.array(readableBy(requireParameter)), []),
  "shell-password": v.optional(readableBy(requirePasswordHash)),
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
export const CONFIG_KEYS: readonly string[] = Object.keys(CONFIG_SCHEMA.entries);

const UKI_KEYS = Object.keys(CONFIG_SCHEMA.entries.uki.wrapped.entries);

/** levain.toml: the options of `levain image` by their names, repeatable ones as lists, and `parameters`. */
export type ImageConfig = v.InferOutput<typeof CONFIG_SCHEMA>;

/** Reads levain.toml. Throws a BootError that reports all mistakes with their lines, in order. */
export function readConfig(path: string): ImageConfig {
  const what = `cannot read the configuration ${path}`;
  return parseConfig(
    attempt(what, () => readFileSync(path, "utf8"), "check its path"),
    path,
  );
}

/** Parses the text of levain.toml; `path` is for the messages. */
export function parseConfig(source: string, path: string): ImageConfig {
  const statements = readStatements(source);
  const result = v.safeParse(CONFIG_SCHEMA, statements.values);
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

  function describe(issue: v.InferIssue<typeof CONFIG_SCHEMA>): Mistake {
    const [key, element] = (issue.path ?? []).map(({ key: step }) => step);
    return {
      line: statements.lineOf(String(key), typeof element === "number" ? element : 0),
      text: `${explainIssue(issue)}${key === "uki" && issue.expected === "never" ? suggest(String(element), UKI_KEYS) : ""}`,
    };
  }
}

function listUnknown({ values, lineOf }: ReturnType<typeof readStatements>): readonly Mistake[] {
  const unknown = Object.keys(values).filter((key) => !CONFIG_KEYS.includes(key));
  return unknown.map((key) => ({ line: lineOf(key, 0), text: `unknown key ${key}${suggest(key, CONFIG_KEYS)}` }));
}

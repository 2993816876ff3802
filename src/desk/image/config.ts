import { readFileSync } from "node:fs";
import * as v from "valibot";
import { BootError } from "../../problems/errors.ts";
import { parseCompression } from "../archive/compress.ts";
import { attempt } from "../host.ts";
import { parseAddition } from "./addition.ts";

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

const schema = v.strictObject({
  output: v.optional(text),
  kernel: v.optional(text),
  "modules-dir": v.optional(text),
  modules: list,
  "modprobe-dirs": list,
  busybox: v.optional(text),
  init: v.optional(text),
  add: v.optional(v.array(readableBy((addition) => parseAddition(addition, "/"))), []),
  programs: list,
  keymaps: list,
  compress: v.optional(readableBy(parseCompression)),
  parameters: list,
});

/** The keys of levain.toml. */
export const CONFIG_KEYS: readonly string[] = Object.keys(schema.entries);

/** levain.toml: the options of `levain image` by their names, repeatable ones as lists, and `parameters`. */
export type ImageConfig = v.InferOutput<typeof schema>;

/** Reads levain.toml. Throws a BootError that reports all mistakes, with their line numbers if known. */
export function readConfig(path: string): ImageConfig {
  const what = `cannot read the configuration ${path}`;
  return parseConfig(
    attempt(what, () => readFileSync(path, "utf8"), "check the path after --config"),
    path,
  );
}

/** Parses the text of levain.toml; `path` is for the messages. */
export function parseConfig(source: string, path: string): ImageConfig {
  const result = v.safeParse(schema, parseToml(source, path));
  if (result.success) return result.output;
  throw new BootError(`${path} has ${result.issues.length === 1 ? "a mistake" : `${result.issues.length} mistakes`}`, {
    seen: result.issues.map((issue) => `${locate(source, issue)}: ${explain(issue)}`),
    hint: `the keys are ${CONFIG_KEYS.join(", ")}`,
  });
}

function parseToml(source: string, path: string): unknown {
  const complaint = complaintOf(source);
  if (complaint === null) return Bun.TOML.parse(source);
  throw new BootError(`${path} is not valid TOML`, {
    seen: [`line ${findErrorLine(source, complaint)}: ${complaint.replace(/^TOML Parse error: /, "")}`],
    hint: 'write lists as modules = ["a", "b"], and strings in double quotes',
  });
}

/** Bun's parser reports no position: the mistake is in the first line after which it reports the same message. */
function findErrorLine(source: string, message: string): number {
  const lines = source.split("\n");
  const index = lines.findIndex((_, last) => complaintOf(`${lines.slice(0, last + 1).join("\n")}\n`) === message);
  return index < 0 ? lines.length : index + 1;
}

function complaintOf(source: string): string | null {
  try {
    Bun.TOML.parse(source);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

type Issue = v.InferIssue<typeof schema>;

function locate(source: string, issue: Issue): string {
  const key = String(issue.path?.[0]?.key ?? "");
  const line = source.split("\n").findIndex((candidate) => {
    const start = candidate.replace(/^\s*(?:\[+\s*)?["']?/, "");
    return start.startsWith(key) && !/^[\w-]/.test(start.slice(key.length));
  });
  return line < 0 || key === "" ? "somewhere" : `line ${line + 1}`;
}

function explain(issue: Issue): string {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? `[${key + 1}]` : String(key))).join("");
  if (issue.type === "strict_object") return `unknown key ${path}`;
  if (issue.type === "min_length") return `${path}: ${issue.message} but received ""`;
  if (issue.type === "raw_check") return `${path}: ${issue.message}`;
  return `${path}: expected ${name(issue.expected)} but received ${name(issue.received)}`;
}

// Names of types in valibot's issues, and of Bun's dates.
const NAMES: ReadonlyMap<string, string> = new Map([
  ...[["string", "a string"] as const, ["Array", "a list"] as const, ["Object", "a table"] as const],
  ...["Instant", "PlainDate", "PlainDateTime"].map((type) => [type, "a date"] as const),
  ["PlainTime", "a time"],
]);

function name(type: string | null): string {
  return NAMES.get(type ?? "") ?? type ?? "";
}

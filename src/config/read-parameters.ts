import * as v from "valibot";
import { printable } from "../report.ts";
import type { Word } from "./cmdline.ts";
import { findParameters, type Match, PARAMETER_ROWS, type ParameterKey, type Settings } from "./parameters.ts";

/** Where words come from, as an error names it. */
export type Origin = "levain.toml" | "the kernel command line" | "levain retry";

export interface Source {
  readonly origin: Origin;
  readonly words: readonly Word[];
}

/** A parameter of ours that cannot be taken; `text` is "rd.timeout=abc: Expected a number of seconds but received "abc"". */
export interface Mistake {
  readonly origin: Origin;
  readonly text: string;
}

/**
 * The values of all our parameters in `sources`, the weakest source first, and every mistake in them that counts: one is mended by a stronger
 * source that gives the parameter. Never throws.
 */
export function readParameters(sources: readonly Source[]): { settings: Settings; mistakes: readonly Mistake[] } {
  const values = new Map<ParameterKey, unknown>();
  const givenBy = new Map<ParameterKey, Source>();
  const mistakes: { key: ParameterKey; source: Source; text: string }[] = [];
  for (const source of sources) {
    for (const word of source.words) {
      for (const match of findParameters(word.name)) {
        const { key, row } = match;
        const read = readValue(match, word);
        if (read === null) continue;
        if ("expected" in read) {
          mistakes.push({ key, source, text: describe(word, read.expected) });
        } else {
          values.set(key, row.isList ? join(values.get(key), read.value) : read.value);
          givenBy.set(key, source);
        }
      }
    }
  }
  const counting = mistakes.filter(({ key, source }) => sources.indexOf(givenBy.get(key) ?? source) <= sources.indexOf(source));
  return { settings: complete(values), mistakes: unique(counting.map(({ source, text }) => ({ origin: source.origin, text }))) };
}

/** A parameter that is a string of its own: without the quotes that a word of a command line needs. */
export function splitParameter(text: string): Word {
  const equals = text.indexOf("=", 1);
  if (equals < 0) return { name: text, value: null, text };
  return { name: text.slice(0, equals), value: text.slice(equals + 1), text };
}

/** null where the word says nothing about this parameter. */
function readValue({ row, alias }: Match, word: Word): { value: unknown } | { expected: string } | null {
  const given = alias?.translate === undefined ? word.value : alias.translate(word.value);
  if (given === undefined) return null;
  const text = given ?? row.bare;
  if (text === null) return { expected: `a value (${alias?.syntax ?? row.syntax})` };
  const result = v.safeParse(row.schema, text);
  return result.success ? { value: result.output } : { expected: result.issues[0].message };
}

function describe(word: Word, expected: string): string {
  const received = word.value === null ? "no value" : `"${word.value}"`;
  return printable(`${word.text}: Expected ${expected} but received ${received}`);
}

function join(before: unknown, more: unknown): readonly unknown[] {
  return [...(Array.isArray(before) ? before : []), ...(Array.isArray(more) ? more : [])];
}

/** Every key, lists empty and others undefined where nothing was given; the schemas of the table vouch for the types. */
function complete(values: ReadonlyMap<ParameterKey, unknown>): Settings {
  const entries = PARAMETER_ROWS.map(([key, row]) => {
    // Not `??`: null is a value of some, as "for ever".
    const unset = row.isList ? [] : undefined;
    return [key, values.has(key) ? values.get(key) : unset] as const;
  });
  return Object.fromEntries(entries) as unknown as Settings;
}

/** An alias of two rows makes its mistake twice. */
function unique(mistakes: readonly Mistake[]): readonly Mistake[] {
  return [...new Map(mistakes.map((mistake) => [`${mistake.origin} ${mistake.text}`, mistake])).values()];
}

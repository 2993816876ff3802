import type { Mistake, Origin } from "../problems/diagnoses/boot.ts";
import { printable } from "../problems/report.ts";
import type { Word } from "./cmdline.ts";
import { nearestName } from "./near-misses.ts";
import type { Parameter } from "./parameter.ts";
import { findParameters, type Match, PARAMETER_ROWS, PARAMETERS, type Settings } from "./parameters.ts";
import { tryParse } from "./parse.ts";
import { beforeSecret } from "./secrets.ts";

/** Parameters and their origin. */
export interface Source {
  readonly origin: Origin;
  readonly words: readonly Word[];
}

/**
 * Returns the values of all parameters in `sources`, the weakest source first, and every mistake that counts: a valid
 * value in a stronger source corrects one. Never throws.
 */
export function readParameters(sources: readonly Source[]): { settings: Settings; mistakes: readonly Mistake[] } {
  const values = new Map<keyof Settings, unknown>();
  let mistakes: readonly KeyedMistake[] = [];
  for (const source of sources) {
    const read = source.words.flatMap((word) => findParameters(word.name).flatMap((match) => readWord(match, word)));
    const given = new Set(read.filter((one) => "value" in one).map(({ key }) => key));
    const made = read.flatMap((one) => ("text" in one ? [{ ...one, origin: source.origin }] : []));
    mistakes = [...mistakes.filter(({ key }) => !given.has(key)), ...made];
    for (const one of read) if ("value" in one) keep(values, one.key, one.value);
  }
  return { settings: complete(values), mistakes: unique(mistakes) };
}

/** Splits a parameter that is a string of its own: without the quotes that a command line needs. */
export function splitParameter(text: string): Word {
  const equals = text.indexOf("=", 1);
  if (equals < 0) return { name: text, value: null, text };
  return { name: text.slice(0, equals), value: text.slice(equals + 1), text };
}

type KeyedMistake = Mistake & Pick<Match, "key">;
type Reading = Pick<Match, "key"> & ({ readonly value: unknown } | { readonly text: string });

/** Returns the word's value for a parameter, or its mistake; nothing if the value does not concern the parameter. */
function readWord({ key, row, alias }: Match, word: Word): readonly Reading[] {
  const given = alias?.translate === undefined ? word.value : alias.translate(word.value);
  if (given === undefined) return [];
  const text = given ?? row.bare;
  if (text === null) return [{ key, text: describe(word, `a value (${alias?.syntax ?? row.syntax})`) }];
  const read = tryParse(row.parse, text);
  if ("value" in read) return [{ key, value: read.value }];
  return [{ key, text: describe(word, read.expected) + describeMeant(text, read.choices) }];
}

function describe(word: Word, expected: string): string {
  const shown = beforeSecret(word.text);
  if (shown !== null) return printable(`${shown}…: Expected ${expected}`);
  const received = word.value === null ? "no value" : `"${word.value}"`;
  return printable(`${word.text}: Expected ${expected} but received ${received}`);
}

/** The value that may be meant, or its tag ("LABEL="); nothing if none is near. */
function describeMeant(text: string, choices: readonly string[]): string {
  const tag = /^[^=]*=/.exec(text)?.[0] ?? text;
  const meant = nearestName(tag, choices);
  return meant === null || meant === tag ? "" : `; did you mean ${meant}?`;
}

/** The last value of a parameter counts, unless a stronger sticky one came before it; of a list all values. */
function keep(values: Map<keyof Settings, unknown>, key: keyof Settings, value: unknown): void {
  const before = values.get(key);
  const row: Parameter = PARAMETERS[key];
  const { sticky = [] } = row;
  const weakness = (of: unknown) => (sticky.includes(of) ? sticky.indexOf(of) : sticky.length);
  if (weakness(before) < weakness(value)) return;
  values.set(key, row.isList ? [before ?? [], value].flat() : value);
}

/** Every key, lists empty and others undefined if nothing was given; the parsers of the table vouch for the types. */
function complete(values: ReadonlyMap<keyof Settings, unknown>): Settings {
  // Not `??`: null is a value of some parameters, as "no limit".
  const entries = PARAMETER_ROWS.map(([key, { isList }]) => [key, values.has(key) || !isList ? values.get(key) : []]);
  return Object.fromEntries(entries) as Settings;
}

/** A mistake in an alias of two rows is found twice. */
function unique(mistakes: readonly KeyedMistake[]): readonly Mistake[] {
  return [...new Map(mistakes.map(({ origin, text }) => [`${origin} ${text}`, { origin, text }])).values()];
}

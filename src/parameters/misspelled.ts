import { normaliseName, type Word } from "./cmdline.ts";
import { isForeign } from "./dialects/foreign.ts";
import { explainUnsupported, UNSUPPORTED } from "./dialects/unsupported.ts";
import { isKernelParameter } from "./kernel-parameters.ts";
import { nearestName } from "./near-misses.ts";
import type { Parameter } from "./parameter.ts";
import { findParameters, PARAMETER_ROWS } from "./parameters.ts";
import { tryParse } from "./parse.ts";

/** A parameter that looks like one of levain's or of the dialects, and is none. */
export interface Misspelling {
  readonly word: Word;
  /** The parameter that may be meant, as "rd.timeout="; null if none is near. */
  readonly meant: string | null;
}

/** Names of fewer letters are near too many others. */
const FEWEST_LETTERS = 5;

/** Returns the parameter that `name` may be a misspelling of, as "rd.timeout="; null if none is near. */
export function suggestParameter(name: string): string | null {
  const given = normaliseName(name);
  const all = [...candidates().keys()];
  const prefix = prefixOf(given);
  const likely = prefix === null ? all : all.filter((one) => prefixOf(one) === prefix);
  // hid.debug is a parameter of a module: only one letter may differ from rd.debug.
  const near = nearestName(given, likely) ?? nearestName(given, all, 1);
  return near === null ? null : (candidates().get(near) ?? null);
}

/** "rd" of "rd.debug"; null for a name without a dot. */
function prefixOf(name: string): string | null {
  return /^[^.]+(?=\.)/.exec(name)?.[0] ?? null;
}

/**
 * Returns the misspelled parameters of a command line. `isUnknown` says of a name without a dot whether the kernel does
 * not know it; by default, a list of the kernel's parameters decides. Only the initramfs reads rd.…, so an unknown one is
 * a mistake even if no parameter is near.
 */
export function findMisspelled(
  words: readonly Word[],
  isUnknown: (name: string) => boolean = (name) => !isKernelParameter(name),
): readonly Misspelling[] {
  return words.flatMap((word) => {
    const { name } = word;
    // In this order, because every boot does it.
    if (findParameters(name).length > 0 || (!name.includes(".") && !isUnknown(name))) return [];
    if (explainUnsupported(name) !== null || isForeign(name)) return [];
    const meant = (isLong(name) ? suggestParameter(name) : null) ?? suggestShort(word);
    return meant === null && !name.startsWith("rd.") ? [] : [{ word, meant }];
  });
}

/** NAME=value in capitals is an environment variable of init. */
function isLong(name: string): boolean {
  return name.length >= FEWEST_LETTERS && (name !== name.toUpperCase() || name.includes("."));
}

/** "rot=LABEL=x" and "int=/bin/sh": a name of few letters needs a value that says which parameter is meant. */
function suggestShort({ name, value }: Word): string | null {
  if (value === null || !/[/=]/.test(value) || name.length < 3) return null;
  const near = PARAMETER_ROWS.map(([, row]) => row).filter(
    (row) => row.name.length >= 4 && nearestName(name, [row.name]) !== null,
  );
  const takes = ({ parse }: Parameter, text: string) => "value" in tryParse(parse, text);
  const fitting = near.filter((row) => takes(row, value) && !takes(row, "?"));
  const meant = nearestName(
    name,
    fitting.map((row) => row.name),
  );
  return meant === null ? null : `${meant}=`;
}

let known: ReadonlyMap<string, string> | null = null;

/** The normalised names that a misspelling can be meant for, each as the documentation spells it. */
function candidates(): ReadonlyMap<string, string> {
  known ??= new Map(
    [...ofTable(), ...ofUnsupported()].map((spelling) => [normaliseName(spelling.replace(/=$/, "")), spelling]),
  );
  return known;
}

function ofTable(): readonly string[] {
  return PARAMETER_ROWS.flatMap(([, row]) =>
    [row, ...row.aliases]
      .filter(({ name }) => name.length >= FEWEST_LETTERS)
      .map(({ name, syntax }) => (syntax[name.length] === "=" ? `${name}=` : name)),
  );
}

function ofUnsupported(): readonly string[] {
  return Object.values(UNSUPPORTED)
    .flat()
    .map(({ name }) => name.split("=", 1)[0] ?? "")
    .filter((name) => !name.endsWith(".") && name.length >= FEWEST_LETTERS);
}

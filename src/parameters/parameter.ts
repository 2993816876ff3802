import type * as v from "valibot";
import { readFlag } from "./values.ts";

/** Another program's spelling of a parameter. */
export interface Alias {
  readonly name: string;
  /** As the documentation shows it: "panic=SECONDS". */
  readonly syntax: string;
  /**
   * Its value (null: a bare word) in the parameter's own syntax; null stands for the bare parameter, undefined says
   * nothing about this parameter. Without it the value is the same.
   */
  readonly translate?: (value: string | null) => string | null | undefined;
  /** It is init's word too, and reaches it. */
  readonly isPassedOn?: boolean;
}

/** One row of the table: everything that the parser, the help text and docs/parameters.md know about a parameter. */
export interface Parameter<T = unknown> {
  readonly name: string;
  /** As the documentation shows it: "rd.timeout=SECONDS". */
  readonly syntax: string;
  readonly aliases: readonly Alias[];
  /** The value that the bare word stands for; null where a value must be given. */
  readonly bare: string | null;
  /** What holds where it is not given, in words. */
  readonly fallback: string;
  /** What it does, in one or two sentences. */
  readonly text: string;
  /** A command line on which it changes the plan. */
  readonly example: string;
  /** Every occurrence counts (lists are joined) instead of the last. */
  readonly isList: boolean;
  /** A value that no other takes back, wherever the two are given; left out where the last value counts. */
  readonly sticky?: T;
  /** From the value's text; its messages are what was expected. */
  readonly schema: v.GenericSchema<string, T>;
}

interface Row {
  readonly syntax: string;
  readonly aliases?: readonly (string | Alias)[];
  readonly bare?: string;
  readonly fallback: string;
  readonly text: string;
  readonly example: string;
}

/** A row of which the last occurrence counts, or its sticky value. */
export function single<T>(
  schema: v.GenericSchema<string, T>,
  row: Row & Pick<Parameter<T>, "sticky">,
): Parameter<T> & { readonly isList: false } {
  return { ...complete(row), schema, isList: false };
}

/** A row of which every occurrence counts. */
export function list<T>(
  schema: v.GenericSchema<string, readonly T[]>,
  row: Row,
): Parameter<readonly T[]> & { readonly isList: true } {
  return { ...complete(row), schema, isList: true };
}

/** An alias with a syntax of its own. */
export function alias(syntax: string, translate: NonNullable<Alias["translate"]>): Alias {
  return { name: nameOf(syntax), syntax, translate };
}

function complete<R extends Row>(row: R) {
  const aliases = (row.aliases ?? []).map((one) =>
    typeof one === "string" ? { name: nameOf(one), syntax: one } : one,
  );
  return { ...row, name: nameOf(row.syntax), bare: row.bare ?? null, aliases };
}

/** "rd.break[=STEP]" → "rd.break". */
function nameOf(syntax: string): string {
  return /^[^=[]+/.exec(syntax)?.[0] ?? syntax;
}

/** A boolean value as it is, anything else as `other`: for programs that give the value a meaning of their own. */
export function flagOr(other: string) {
  return (value: string | null) => (value !== null && readFlag(value) !== null ? value : other);
}

/** True for a bare word and for every value but a spelling of "no". */
export function isAsked(value: string | null): boolean {
  return value === null || readFlag(value) !== false;
}

/** True where rd.live.overlay= names a place for changes, and not whether there shall be one. */
export function isOverlayDevice(value: string | null): boolean {
  return value !== null && !/^(?:none|off|auto|tmpfs|)$/.test(value) && readFlag(value) === null;
}

/** True for systemd's targets that are a shell. */
export function isShellTarget(value: string | null): boolean {
  return /^(?:emergency|rescue)(?:\.target)?$/.test(value ?? "");
}

/** `result` where one of the words separated by commas matches. */
export function hasWord(value: string | null, word: RegExp, result: string): string | undefined {
  return value?.split(",").some((one) => word.test(one)) ? result : undefined;
}

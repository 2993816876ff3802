import { flag, readFlag } from "./values.ts";

/** Another program's spelling of a parameter. */
export interface Alias {
  readonly name: string;
  /** As the documentation shows it: "panic=SECONDS". */
  readonly syntax: string;
  /**
   * Translates its value (null: no value) to the parameter's own syntax. Null stands for the bare parameter, undefined
   * for a value that does not concern this parameter. Without a translation the value is the same.
   */
  readonly translate?: (value: string | null) => string | null | undefined;
  /** The real init reads it too, so it is passed on. */
  readonly isPassedOn?: boolean;
}

/** A row of the table: all that the parser, the help text and docs/parameters.md know about a parameter. */
export interface Parameter<T = unknown> {
  readonly name: string;
  /** As the documentation shows it: "rd.timeout=SECONDS". */
  readonly syntax: string;
  readonly aliases: readonly Alias[];
  /** The value that the bare name stands for; null if a value is required. */
  readonly bare: string | null;
  /** The default, in words; null if the parameter does nothing unless it is given. */
  readonly fallback: string | null;
  /** What it does, in one or two sentences. */
  readonly text: string;
  /** A command line on which it changes the plan. */
  readonly example: string;
  /** Every occurrence counts (the values are joined) instead of the last. */
  readonly isList: boolean;
  /** Values that those behind them, and all others, do not override, in any order; left out where the last value counts. */
  readonly sticky?: readonly T[];
  /** Parses the value, of a list one occurrence: one element or several. Throws Expected. */
  readonly parse: (text: string) => T;
}

/** A row as the tables write it. */
type Row = Pick<Parameter, "syntax" | "text" | "example"> &
  Partial<Readonly<{ aliases: readonly (string | Alias)[]; bare: string; fallback: string }>>;

/** Makes a row of which the last occurrence counts, or its strongest sticky value. */
export function single<T>(
  parse: (text: string) => T,
  row: Row & Pick<Parameter<NoInfer<T>>, "sticky">,
): Parameter<T> & { readonly isList: false } {
  return { ...complete(row), parse, isList: false };
}

/** Makes a row for yes and no: the bare name is yes, and no is the default if `fallback` is left out. */
export function toggle(row: Row): Parameter<boolean> & { readonly isList: false } {
  return single(flag, { bare: "1", fallback: "no", ...row });
}

/** Makes a row of which every occurrence counts. */
export function list<T>(parse: (text: string) => T, row: Row): Parameter<T> & { readonly isList: true } {
  return { ...complete(row), parse, isList: true };
}

/** Makes an alias with a syntax of its own. */
export function alias(syntax: string, translate: NonNullable<Alias["translate"]>): Alias {
  return { name: nameOf(syntax), syntax, translate };
}

function complete<R extends Row>(row: R) {
  const aliases = (row.aliases ?? []).map((one) =>
    typeof one === "string" ? { name: nameOf(one), syntax: one } : one,
  );
  return { ...row, name: nameOf(row.syntax), bare: row.bare ?? null, fallback: row.fallback ?? null, aliases };
}

/** "rd.break[=STEP]" → "rd.break". */
function nameOf(syntax: string): string {
  return /^[^=[]+/.exec(syntax)?.[0] ?? syntax;
}

/** Translates any value but yes and no to yes: for programs whose values mean more than that. */
export function flagOrYes(value: string | null): string {
  return value !== null && readFlag(value) !== null ? value : "1";
}

/** True for a bare name and for every value but a spelling of "no". */
export function isAsked(value: string | null): boolean {
  return value === null || readFlag(value) !== false;
}

/** True if rd.live.overlay= names a device for the changes, and not only whether there is an overlay. */
export function isOverlayDevice(value: string | null): boolean {
  return value !== null && !/^(?:none|off|auto|tmpfs|)$/.test(value) && readFlag(value) === null;
}

/** True for the systemd targets that are a shell. */
export function isShellTarget(value: string | null): boolean {
  return /^(?:emergency|rescue)(?:\.target)?$/.test(value ?? "");
}

/** Returns `result` if one of the words separated by commas matches. */
export function hasWord(value: string | null, word: RegExp, result: string): string | undefined {
  return value?.split(",").some((one) => word.test(one)) ? result : undefined;
}

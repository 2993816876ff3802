import { BootError } from "../problems/errors.ts";

/** What a text was expected to be, as read after "Expected": thrown by every parser in parameters/. */
export class Expected extends BootError {
  /** Of a list that is complete: all values, one of which may be meant. */
  readonly choices: readonly string[];

  constructor(expected: string, choices: readonly string[] = []) {
    super(expected);
    this.choices = choices;
  }
}

/** Parses a text into its value, or into what was expected instead. */
export function tryParse<Text, T>(
  parse: (text: Text) => T,
  text: Text,
): { readonly value: T } | { readonly expected: string; readonly choices: readonly string[] } {
  try {
    return { value: parse(text) };
  } catch (error) {
    if (error instanceof Expected) return { expected: error.message, choices: error.choices };
    throw error;
  }
}

/** Returns a parser from a reader that returns null for what it does not accept; `choices` are all that it accepts, if these are few. */
export function parser<T>(
  expected: string,
  read: (text: string) => T | null,
  choices: readonly string[] = [],
): (text: string) => T {
  return (text) => {
    const value = read(text);
    if (value === null) throw new Expected(expected, choices);
    return value;
  };
}

/** Returns a parser of texts that match `shape`. */
export function matching(expected: string, shape: RegExp): (text: string) => string {
  return parser(expected, (text) => (shape.test(text) ? text : null));
}

/** Returns the path with a slash in front and without empty and "." parts; null for no path, and for "..", which would lead out of its filesystem. */
export function normalisePath(text: string): string | null {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 || parts.includes("..") ? null : `/${parts.join("/")}`;
}

/** Parses a whole number from `least` to `most`. */
export function parseWhole(text: string, what: string, least: number, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw new Expected(`${what} from ${least} to ${most}`);
  return value;
}

const UNITS: readonly (readonly [unit: RegExp, ms: number])[] = [
  [/^ms(?:ec)?$/, 1],
  [/^(?:s|sec|seconds?)?$/, 1000],
  [/^m(?:in|inutes?)?$/, 60_000],
  [/^h(?:r|our)?$/, 3_600_000],
];
/** The longest timeout that poll(2) takes, in whole seconds. */
const MOST_SECONDS = 2_147_483;

/** Parses seconds of this shape, at most as many as poll(2) takes. */
export function parseSeconds(text: string, shape: RegExp): number {
  if (!shape.test(text)) throw new Expected("a number of seconds");
  if (Number(text) > MOST_SECONDS) throw new Expected(`at most ${MOST_SECONDS} seconds`);
  return Number(text);
}

/** Parses a span of time as systemd.time(7) writes it ("90", "1min 30s", "500ms") into milliseconds; null for 0, which means no limit. */
export function parseTimeSpan(text: string, what: string): number | null {
  const parts = [...text.matchAll(/(\d{1,10}(?:\.\d{1,3})?)\s*([a-z]*)\s*/gy)];
  const isWhole = text !== "" && parts.map(([part]) => part).join("") === text;
  const spans = parts.map(
    ([, amount, unit = ""]) => Number(amount) * (UNITS.find(([shape]) => shape.test(unit))?.[1] ?? Number.NaN),
  );
  const sum = Math.round(spans.reduce((total, span) => total + span, 0));
  if (!isWhole || !(sum <= MOST_SECONDS * 1000)) throw new Expected(`${what} as a time, such as 30 or 1min 30s`);
  return sum === 0 ? null : sum;
}

import type { Hint } from "../errors.ts";

/** The words for one cause of a failure: a row of a table of causes. */
export interface CauseWords<Facts> {
  /** Why, as a clause. */
  readonly reason: (facts: Facts) => string;
  /** What to try. */
  readonly hints: (facts: Facts) => readonly Hint[];
}

/** Makes a row of such a table. */
export function cause<Facts>(
  reason: CauseWords<Facts>["reason"],
  hints: CauseWords<Facts>["hints"],
): CauseWords<Facts> {
  return { reason, hints };
}

/** Joins names for a sentence: the first `most` of them, and how many more there are. */
export function listNames(names: readonly string[], most = 8): string {
  const more = names.length - most;
  return [...names.slice(0, most), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

/** Returns the hints without those that say the same. */
export function distinct(hints: readonly Hint[]): readonly Hint[] {
  return [...new Map(hints.map((hint) => [hint.text, hint])).values()];
}

import type { Hint } from "../errors.ts";

/** Makes a row of a table of causes: why a failure happened, as a clause, and what to try. */
export function cause<Facts>(reason: (facts: Facts) => string, hints: (facts: Facts) => readonly Hint[] = () => []) {
  return { reason, hints };
}

/** True for a word that a person can type in a shell as it is: a name from a disk must not become a command. */
export function isPlainWord(word: string): boolean {
  return /^[\w@%+=:,./-]+$/.test(word);
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

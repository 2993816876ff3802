/** Returns at most `count` of `names` that are similar to `given`: few letters differ, or one contains the other; the nearest first. */
export function nearMisses(given: string, names: readonly string[], count = 5): readonly string[] {
  return rankNames(given, names)
    .slice(0, count)
    .map(({ name }) => name);
}

function rankNames(
  given: string,
  names: readonly string[],
): readonly { readonly name: string; readonly distance: number }[] {
  const limit = Math.max(2, Math.floor(given.length / 3));
  const distanceTo = (name: string) => {
    const isPart = given.length > 2 && name.length > 2 && (name.includes(given) || given.includes(name));
    return isPart ? 1.5 : editDistance(given, name);
  };
  return names
    .map((name) => ({ name, distance: distanceTo(name) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
}

const MAX_SUGGESTIONS = 3;

/** Returns ": did you mean …?" with the names that are near `given`, none twice as far as the nearest, or nothing. */
export function suggest(given: string, names: readonly string[]): string {
  const ranked = rankNames(given, [...new Set(names)]).slice(0, MAX_SUGGESTIONS);
  const near = ranked.filter(({ distance }) => distance <= 2 * (ranked[0]?.distance ?? 0)).map(({ name }) => name);
  return near.length === 0 ? "" : `: did you mean ${near.join(" or ")}?`;
}

/** Returns the name that `given` is most likely a misspelling of, whatever the case of its letters; null if more than `most` letters differ: one, or two of eight or more. */
export function nearestName(
  given: string,
  names: Iterable<string>,
  most: number = given.length < 8 ? 1 : 2,
): string | null {
  const lower = given.toLowerCase();
  let best: { name: string; distance: number } | null = null;
  for (const name of names) {
    // The lengths alone decide for most names.
    if (Math.abs(name.length - lower.length) > most) continue;
    const distance = editDistance(lower, name.toLowerCase(), most);
    if (distance <= most && (best === null || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? null;
}

/** Levenshtein's, with the commonest slip as one: letters inserted, removed or replaced, or two neighbours in the wrong order. Above `most` it need not be exact. */
function editDistance(a: string, b: string, most = Number.POSITIVE_INFINITY): number {
  let before: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, place) => place);
  for (let i = 1; i <= a.length && Math.min(...row) <= most; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

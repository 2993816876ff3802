/** Returns at most `count` of `names` that are similar to `given`: few letters differ, or one contains the other; the nearest first. */
export function nearMisses(given: string, names: readonly string[], count = 5): readonly string[] {
  const limit = Math.max(2, Math.floor(given.length / 3));
  const distanceTo = (name: string) => {
    const isPart = given.length > 2 && name.length > 2 && (name.includes(given) || given.includes(name));
    return isPart ? 1.5 : editDistance(given, name);
  };
  return names
    .map((name) => ({ name, distance: distanceTo(name) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name);
}

const MAX_SUGGESTIONS = 3;

/** Returns ": did you mean …?" with the names that are near `given`, or nothing. */
export function suggest(given: string, names: readonly string[]): string {
  const near = nearMisses(given, [...new Set(names)], MAX_SUGGESTIONS);
  return near.length === 0 ? "" : `: did you mean ${near.join(" or ")}?`;
}

/** Levenshtein's: letters inserted, removed or replaced. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, place) => place);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

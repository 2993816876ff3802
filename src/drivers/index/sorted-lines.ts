/**
 * Joins lines to a text, each with a newline, sorted by UTF-16 code units: a table that needs no parsing before a lookup. A boot
 * looks up a few of ten thousand lines.
 */
export function sortLines(lines: Iterable<string>): string {
  // With their newlines, as the search compares them.
  const ended = new Set([...lines].map((line) => `${line}\n`));
  return [...ended].sort().join("");
}

/** Returns the rest of every line that begins with `key` (without a newline in it), by a binary search over the text. */
export function findLines(text: string, key: string): string[] {
  const found: string[] = [];
  for (let at = firstNotBefore(text, key); text.startsWith(key, at); ) {
    const end = text.indexOf("\n", at);
    if (end === -1) break; // every line of a table has its end
    found.push(text.slice(at + key.length, end));
    at = end + 1;
  }
  return found;
}

/** Where the first line begins that does not sort before `key`. */
function firstNotBefore(text: string, key: string): number {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = middle === 0 ? 0 : text.lastIndexOf("\n", middle - 1) + 1;
    if (text.slice(start, start + key.length) >= key) {
      high = start;
    } else {
      const end = text.indexOf("\n", middle);
      low = end === -1 ? text.length : end + 1;
    }
  }
  return low;
}

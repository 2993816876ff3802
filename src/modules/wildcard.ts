/**
 * True where `text` matches `pattern` as fnmatch(3) without flags says, which is what kmod asks: `*` and `?` take any
 * character, `[a-f]` and `[!a-f]` a set, a backslash the next character as it is. Linear in both for each `*`.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  return /[?[\\]/.test(pattern) ? matchesAny(pattern, text) : matchesStars(pattern, text);
}

/** Most patterns have no other wildcard, and a boot asks thousands of times: the pieces between the stars, one behind the other. */
function matchesStars(pattern: string, text: string): boolean {
  const pieces = pattern.split("*");
  const first = pieces[0] ?? "";
  const last = pieces[pieces.length - 1] ?? "";
  if (pieces.length === 1) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (let index = 1; index < pieces.length - 1; index += 1) {
    const piece = pieces[index] ?? "";
    const place = text.indexOf(piece, at);
    if (place === -1) return false;
    at = place + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function matchesAny(pattern: string, text: string): boolean {
  let place = 0;
  let at = 0;
  // Where to go on when what follows the last "*" did not match: one more character belongs to it.
  let afterStar = -1;
  let starText = 0;
  while (at < text.length) {
    if (pattern[place] === "*") {
      place += 1;
      afterStar = place;
      starText = at;
      continue;
    }
    const next = matchOne(pattern, place, text[at] ?? "");
    if (next !== -1) {
      place = next;
      at += 1;
    } else if (afterStar !== -1) {
      starText += 1;
      at = starText;
      place = afterStar;
    } else {
      return false;
    }
  }
  while (pattern[place] === "*") place += 1;
  return place === pattern.length;
}

/** The place in the pattern after what took `character`; -1 where it does not. */
function matchOne(pattern: string, place: number, character: string): number {
  const wanted = pattern[place];
  if (wanted === undefined) return -1;
  if (wanted === "?") return place + 1;
  if (wanted === "[") {
    const close = endOfSet(pattern, place);
    if (close !== -1) return inSet(pattern.slice(place + 1, close), character) ? close + 1 : -1;
  }
  if (wanted === "\\" && place + 1 < pattern.length) return pattern[place + 1] === character ? place + 2 : -1;
  return wanted === character ? place + 1 : -1;
}

/** The place of the "]" that ends the set; one right after the opening (or its "!") stands for itself. -1: no set. */
function endOfSet(pattern: string, open: number): number {
  const negated = pattern[open + 1] === "!" || pattern[open + 1] === "^";
  return pattern.indexOf("]", open + (negated ? 3 : 2));
}

function inSet(set: string, character: string): boolean {
  const negated = set.startsWith("!") || set.startsWith("^");
  const members = negated ? set.slice(1) : set;
  for (let at = 0; at < members.length; ) {
    const isRange = members[at + 1] === "-" && at + 2 < members.length;
    const first = members[at] ?? "";
    const last = isRange ? (members[at + 2] ?? "") : first;
    if (first <= character && character <= last) return !negated;
    at += isRange ? 3 : 1;
  }
  return negated;
}

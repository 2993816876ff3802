/**
 * Returns true if `text` matches `pattern` by fnmatch(3) without flags, as in kmod: `*` and `?` match any character, `[a-f]` and
 * `[!a-f]` a set, a backslash quotes the next character. Classes (`[[:digit:]]`) are not supported: no module has one. Linear in
 * both for each `*`.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  return /[?[\\]/.test(pattern) ? matchesAny(pattern, text) : matchesStars(pattern, text);
}

/** The fast path for patterns without another wildcard: the pieces between the stars, in order. A boot compares thousands of them. */
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
  // Where to continue if the rest after the last "*" does not match: "*" takes one more character.
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

/** Returns the place in the pattern after the part that matched `character`; -1 if it does not match. */
function matchOne(pattern: string, place: number, character: string): number {
  const wanted = pattern[place];
  if (wanted === undefined) return -1;
  if (wanted === "?") return place + 1;
  if (wanted === "[") {
    const set = readSet(pattern, place + 1, character);
    if (set !== null) return set.hasCharacter ? set.end : -1;
  }
  // A backslash at the end matches nothing.
  if (wanted === "\\") return pattern[place + 1] === character ? place + 2 : -1;
  return wanted === character ? place + 1 : -1;
}

/** Reads the set whose opening bracket is before `start`; null if it does not end, so that the bracket is an ordinary character. */
function readSet(pattern: string, start: number, character: string): { hasCharacter: boolean; end: number } | null {
  const isNegated = pattern[start] === "!" || pattern[start] === "^";
  const begin = isNegated ? start + 1 : start;
  let isNamed = false;
  for (let at = begin; ; ) {
    // A "]" directly after the opening bracket is a member.
    if (pattern[at] === "]" && at > begin) return { hasCharacter: isNamed !== isNegated, end: at + 1 };
    const first = readMember(pattern, at);
    if (first === null) return null;
    const isRange = pattern[first.end] === "-" && pattern[first.end + 1] !== "]";
    const last = isRange ? readMember(pattern, first.end + 1) : first;
    // A range without an end matches nothing (glibc's fnmatch_loop.c), but the bracket stays special.
    if (last === null) return { hasCharacter: false, end: pattern.length };
    isNamed ||= first.character <= character && character <= last.character;
    at = last.end;
  }
}

/** Reads one character of a set, with or without a backslash; null at the end of the pattern. */
function readMember(pattern: string, at: number): { character: string; end: number } | null {
  const end = pattern[at] === "\\" ? at + 2 : at + 1;
  const character = pattern[end - 1];
  return character === undefined ? null : { character, end };
}

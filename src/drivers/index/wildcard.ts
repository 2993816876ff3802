/**
 * True where `text` matches `pattern` as fnmatch(3) without flags says, which is what kmod asks: `*` and `?` take any
 * character, `[a-f]` and `[!a-f]` a set, a backslash the next character as it is. Classes (`[[:digit:]]`) are not known: no module has
 * one. Linear in both for each `*`.
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
    const set = readSet(pattern, place + 1, character);
    if (set !== null) return set.hasCharacter ? set.end : -1;
  }
  // A backslash at the end stands for nothing.
  if (wanted === "\\") return pattern[place + 1] === character ? place + 2 : -1;
  return wanted === character ? place + 1 : -1;
}

/** The set whose opening bracket is before `start`: whether it has the character, and the place after it; null where it does not end, and the bracket is one. */
function readSet(pattern: string, start: number, character: string): { hasCharacter: boolean; end: number } | null {
  const isNegated = pattern[start] === "!" || pattern[start] === "^";
  const begin = isNegated ? start + 1 : start;
  let isNamed = false;
  for (let at = begin; ; ) {
    // A "]" right after the opening stands for itself.
    if (pattern[at] === "]" && at > begin) return { hasCharacter: isNamed !== isNegated, end: at + 1 };
    const first = readMember(pattern, at);
    if (first === null) return null;
    const isRange = pattern[first.end] === "-" && pattern[first.end + 1] !== "]";
    const last = isRange ? readMember(pattern, first.end + 1) : first;
    // A range without its end matches nothing at all (glibc's fnmatch_loop.c), and makes no bracket a character.
    if (last === null) return { hasCharacter: false, end: pattern.length };
    isNamed ||= first.character <= character && character <= last.character;
    at = last.end;
  }
}

/** One character of a set, behind a backslash or not; null at the end of the pattern. */
function readMember(pattern: string, at: number): { character: string; end: number } | null {
  const end = pattern[at] === "\\" ? at + 2 : at + 1;
  const character = pattern[end - 1];
  return character === undefined ? null : { character, end };
}

/**
 * Patterns of paths below a root, without a slash at their beginning: `*` is any part of a name, also none and also one that begins
 * with a dot; a backslash makes the next character an ordinary one. fnmatch(3) reads them like this, and mksquashfs uses that.
 */

/** Returns the pattern of exactly this path. Names may contain any character, a newline too. */
export function patternOf(path: string): string {
  return path.replace(/^\/+/, "").replace(/[^\w/.\u{80}-\u{10ffff}-]/gu, "\\$&");
}

/** Returns the pattern as an extended regular expression (regex(7)), which mkfs.erofs uses. */
export function regexOf(pattern: string): string {
  const parts = [...pattern.matchAll(/\\(.)|(.)/gsu)].map(([, escaped, plain = ""]) => {
    if (plain === "*") return "[^/]*";
    const character = escaped ?? plain;
    return /[\\^$.|?*+(){}[\]]/.test(character) ? `\\${character}` : character;
  });
  return `^${parts.join("")}$`;
}

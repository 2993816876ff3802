/**
 * Patterns of paths below a root, without a slash at their beginning: `*` is any part of a name, also one that begins with a dot;
 * a backslash makes the next character an ordinary one.
 */

/** Returns the pattern of exactly this path. Names may contain any character, a newline too. */
export function patternOf(path: string): string {
  return path.replace(/^\/+/, "").replace(/[^\w/.\u{80}-\u{10ffff}-]/gu, "\\$&");
}

/** Returns the patterns for mksquashfs, whose `*` is no name that begins with a dot (FNM_PERIOD of fnmatch(3)). */
export function globsOf(pattern: string): readonly string[] {
  return pattern.endsWith("/*") ? [pattern, `${pattern.slice(0, -1)}.*`] : [pattern];
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

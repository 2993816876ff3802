/** Splits a line of GRUB's script language into words: quotes and backslashes as in sh(1), "#" begins a comment; variables stay as they are. */
export function splitShellWords(line: string): readonly string[] {
  const words: string[] = [];
  const part = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(\s+)/gy;
  let word: string | null = null;
  for (let match = part.exec(line); match !== null; match = part.exec(line)) {
    const [, single, double, escaped, plain, blank] = match;
    if (blank !== undefined) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    if (word === null && plain?.startsWith("#")) break;
    word = `${word ?? ""}${single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? plain ?? ""}`;
  }
  if (word !== null) words.push(word);
  return words;
}

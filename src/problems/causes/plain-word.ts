/** True for a word that a person can type in a shell as it is: a name from a disk must not become a command. */
export function isPlainWord(word: string): boolean {
  return /^[\w@%+=:,./-]+$/.test(word);
}

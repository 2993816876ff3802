import { decodeText } from "../formats/text.ts";

/** One word of a kernel command line. */
export interface Word {
  /** Up to the first `=` that is not the first character; as written. */
  readonly name: string;
  /** null if the word has no `=`. */
  readonly value: string | null;
  /** The word as the kernel passes it on: `name=value` without the quotes around the value, or the bare name. */
  readonly text: string;
}

/** A kernel command line, split. */
export interface CommandLine {
  /** Before `--`. */
  readonly words: readonly Word[];
  /** After `--`: arguments of init. A second `--` ends them, as in the kernel. */
  readonly initArguments: readonly string[];
}

/**
 * Splits a command line as the kernel does: `next_arg` of lib/cmdline.c, `parse_args` of kernel/params.c, and
 * `repair_env_string` of init/main.c. It never throws: an open quote runs to the end. Strings count as UTF-8; bytes
 * that are not valid UTF-8 come out as `\xNN`, spelled as in `Facts.label`, so that a label can still be compared. Like
 * the kernel's `isspace`, byte 0xA0 separates words outside of quotes, also where it is part of a UTF-8 sequence ("à"):
 * such a word needs quotes.
 */
export function parseCommandLine(input: Uint8Array | string): CommandLine {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const line = bytes.subarray(0, lineLength(bytes));
  const before = readWords(line, 0);
  const after = readWords(line, before.next);
  return { words: before.words, initArguments: after.words.map((word) => word.text) };
}

/** The command line is a C string, to which /proc/cmdline adds a newline that must not become part of an open quote. */
function lineLength(bytes: Uint8Array): number {
  const nul = bytes.indexOf(0);
  const length = nul < 0 ? bytes.length : nul;
  return bytes[length - 1] === 0x0a ? length - 1 : length;
}

/** Returns a parameter name with every `-` as `_`, which are equal (`parameq` of kernel/params.c): the key to look it up. */
export function normaliseName(name: string): string {
  return name.replaceAll("-", "_");
}

/** The words from `start` to the end or to a `--`, and the place after it. */
function readWords(line: Uint8Array, start: number): { words: Word[]; next: number } {
  const words: Word[] = [];
  let next = skipSpaces(line, start);
  while (next < line.length) {
    const arg = nextArg(line, next);
    next = arg.next;
    if (arg.word.value === null && arg.word.name === "--") break;
    words.push(arg.word);
  }
  return { words, next };
}

const QUOTE = 0x22;
const EQUALS = 0x3d;

/** `next_arg`, step for step; where the kernel writes a NUL to end the value, `end` moves. */
function nextArg(line: Uint8Array, start: number): { word: Word; next: number } {
  const quoted = line[start] === QUOTE;
  const from = quoted ? start + 1 : start;
  const { equals, stop } = scanWord(line, from, quoted);
  const next = skipSpaces(line, stop);
  const valueQuoted = equals !== null && equals + 1 < stop && line[equals + 1] === QUOTE;
  const endsQuoted = stop > from && line[stop - 1] === QUOTE;
  const end = endsQuoted && (quoted || valueQuoted) ? stop - 1 : stop;
  const name = decodeText(line.subarray(from, equals ?? end));
  if (equals === null) return { word: { name, value: null, text: name }, next };
  const valueFrom = valueQuoted ? equals + 2 : equals + 1;
  const value = decodeText(line.subarray(valueFrom, end));
  return { word: { name, value, text: `${name}=${value}` }, next };
}

/**
 * Where a word stops, and its first `=`; one at its front belongs to the name, because the kernel's 0 means "none yet".
 */
function scanWord(line: Uint8Array, from: number, quoted: boolean): { equals: number | null; stop: number } {
  let inQuotes = quoted;
  let equals: number | null = null;
  let at = from;
  for (; at < line.length; at++) {
    const byte = line[at];
    if (!inQuotes && isSpace(byte)) break;
    if (byte === EQUALS && at > from) equals ??= at;
    if (byte === QUOTE) inQuotes = !inQuotes;
  }
  return { equals, stop: at };
}

function skipSpaces(line: Uint8Array, start: number): number {
  let at = start;
  while (at < line.length && isSpace(line[at])) at++;
  return at;
}

/** `isspace` of lib/ctype.c: \t \n \v \f \r, space, and Latin-1's no-break space. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0xa0 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

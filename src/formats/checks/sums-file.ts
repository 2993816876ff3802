import { decodeText } from "../text.ts";

/** One line of a checksum file. */
export interface SumLine {
  /** Hexadecimal digits, in lower case. */
  readonly hex: string;
  /** As in the file, without "./" in front. */
  readonly path: string;
}

/** A checksum file of a live medium has a line for each file: a few thousand. */
export const MOST_SUMS_BYTES = 4 << 20;

/**
 * Parses a checksum file of coreutils, as `sha256sum FILE…` writes it: the digits, a space, a space or "*", the name. With a
 * backslash in front, the name has \\, \n and \r escaped. The form of `--tag` and of BSD is "SHA256 (NAME) = DIGITS". Lines of another form are skipped.
 */
export function parseSums(bytes: Uint8Array, digits: number): readonly SumLine[] {
  return decodeText(bytes)
    .split("\n")
    .flatMap((line) => parseLine(line.replace(/\r$/, ""), digits) ?? []);
}

function parseLine(line: string, digits: number): SumLine | null {
  const isEscaped = line.startsWith("\\");
  const text = isEscaped ? line.slice(1) : line;
  const [, plain, name] = /^([0-9a-f]+) [ *](.+)$/i.exec(text) ?? [];
  const [, tagged, tag] = plain === undefined ? (/^[A-Z0-9-]+ \((.+)\) = ([0-9a-f]+)$/i.exec(text) ?? []) : [];
  const hex = plain ?? tag;
  const given = name ?? tagged;
  if (hex === undefined || given === undefined || hex.length !== digits) return null;
  const path = (isEscaped ? unescapeName(given) : given).replace(/^(?:\.\/)+/, "");
  const parts = path.split("/");
  // A list must not lead out of the medium.
  return path === "" || parts.includes("..") ? null : { hex: hex.toLowerCase(), path };
}

function unescapeName(text: string): string {
  return text.replaceAll(/\\([\\nr])/g, (_, letter: string) => ({ "\\": "\\", n: "\n", r: "\r" })[letter] ?? letter);
}

import { BootError } from "../../problems/errors.ts";
import { isEmpty } from "../bytes.ts";

// The limit of json-c; and more values than any header that is not crafted to fill memory.
const MAX_DEPTH = 32;
const MAX_VALUES = 40_000;
const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const OPENING_BRACE = 0x7b;
const OPENING = [0x5b, OPENING_BRACE];
const CLOSING = [0x5d, 0x7d];

/**
 * Parses a JSON area: one object from its first byte on, ended by a zero byte, with only zero bytes after it (LUKS2 On-Disk Format
 * Specification, 3.1). Throws BootError for anything else, and for a text that is nested too deeply or has too many values.
 */
export function readJsonArea(area: Uint8Array): unknown {
  const end = area.indexOf(0);
  if (end < 0) throw new BootError("its JSON text has no end");
  if (!isEmpty(area.subarray(end))) throw new BootError("its JSON text is followed by other bytes");
  const bytes = area.subarray(0, end);
  if (bytes[0] !== OPENING_BRACE) throw new BootError("its JSON text is not one object");
  checkSize(bytes);
  try {
    // Strings of a token may contain any bytes, and cryptsetup accepts them: fields that are used are ASCII, and checked.
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new BootError("its JSON text is damaged");
  }
}

/** Checks the text before it is parsed, because a parser makes many objects of few bytes. Without regular expressions, which a crafted text could stall. */
function checkSize(bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (OPENING.includes(byte)) depth += 1;
    else if (CLOSING.includes(byte)) depth -= 1;
    else if (byte !== COMMA) continue;
    values += 1;
    if (depth > MAX_DEPTH) throw new BootError(`its JSON text is nested more than ${MAX_DEPTH} deep`);
    if (values > MAX_VALUES) throw new BootError(`its JSON text has more than ${MAX_VALUES} values`);
  }
}

/** Returns the end of the string that begins at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

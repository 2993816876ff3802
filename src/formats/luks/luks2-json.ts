import { BootError } from "../../problems/errors.ts";
import { isEmpty } from "../bytes.ts";

// As json-c has it; and more values than any header has that is not made to fill memory.
const MAX_DEPTH = 32;
const MAX_VALUES = 40_000;
const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const OPENING_BRACE = 0x7b;
const OPENING = [0x5b, OPENING_BRACE];
const CLOSING = [0x5d, 0x7d];

/**
 * What stands in a JSON area: one object from its first byte on, ended by a zero byte, with nothing but zero bytes behind it (LUKS2
 * On-Disk Format Specification, 3.1). Throws BootError for anything else, and for what is too deep or has too many values.
 */
export function readJsonArea(area: Uint8Array): unknown {
  const end = area.indexOf(0);
  if (end < 0) throw new BootError("its JSON text has no end");
  if (!isEmpty(area.subarray(end))) throw new BootError("something stands behind its JSON text");
  const bytes = area.subarray(0, end);
  if (bytes[0] !== OPENING_BRACE) throw new BootError("its JSON text is not one object");
  checkSize(bytes);
  try {
    // A token may hold any bytes in its texts, and cryptsetup takes it: what is used of a header is ASCII, and checked.
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new BootError("its JSON text is damaged");
  }
}

/** Before it is parsed: a parser makes many objects of few bytes. No regular expression, which could be made to take for ever. */
function checkSize(bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfText(bytes, at);
    else if (OPENING.includes(byte)) depth += 1;
    else if (CLOSING.includes(byte)) depth -= 1;
    else if (byte !== COMMA) continue;
    values += 1;
    if (depth > MAX_DEPTH) throw new BootError(`its JSON text is nested more than ${MAX_DEPTH} deep`);
    if (values > MAX_VALUES) throw new BootError(`its JSON text has more than ${MAX_VALUES} values`);
  }
}

/** Where the text ends that begins at `start`. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

import { BootError } from "../errors.ts";

// As json-c has it; and more values than any header has that is not made to fill memory.
const MAX_DEPTH = 32;
const MAX_VALUES = 20_000;
const OPENING_BRACE = 0x7b;

/**
 * What stands in a JSON area: one object from its first byte on, ended by a zero byte, with nothing but zero bytes behind it (LUKS2
 * On-Disk Format Specification, 3.1). Throws BootError for anything else, and for what is too deep or has too many values.
 */
export function readJsonArea(area: Uint8Array): unknown {
  const end = area.indexOf(0);
  if (end < 0) throw new BootError("its JSON text has no end");
  if (area.subarray(end).some((byte) => byte !== 0)) throw new BootError("something stands behind its JSON text");
  const bytes = area.subarray(0, end);
  if (bytes[0] !== OPENING_BRACE) throw new BootError("its JSON text is not one object");
  checkSize(bytes);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new BootError("its JSON text is damaged");
  }
}

/** Before it is parsed: a parser makes many objects of few bytes. */
function checkSize(bytes: Uint8Array): void {
  const text = new TextDecoder("latin1").decode(bytes);
  let depth = 0;
  let values = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/gs)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (token.length === 1) values += 1;
    if (depth > MAX_DEPTH) throw new BootError(`its JSON text is nested more than ${MAX_DEPTH} deep`);
    if (values > MAX_VALUES) throw new BootError(`its JSON text has more than ${MAX_VALUES} values`);
  }
}

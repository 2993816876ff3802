const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes bytes as text, invalid UTF-8 as `\xNN`. The text is not safe to print: it may contain control characters. */
export function decodeText(bytes: Uint8Array): string {
  // Nearly all text is valid; decoding by characters takes fifty times as long.
  const whole = decodeStrict(bytes);
  if (whole !== null) return whole;
  return readCharacters(bytes)
    .map(({ text, bytes: raw }) => text ?? escapeBytes(raw))
    .join("");
}

/** Decodes bytes as text that is safe to print on one line: bytes that are not printable UTF-8 become `\xNN`. */
export function decodePrintable(bytes: Uint8Array): string {
  const whole = decodeStrict(bytes);
  if (whole !== null && isPrintable(whole)) return whole;
  return readCharacters(bytes)
    .map(({ text, bytes: raw }) => (text !== null && isPrintable(text) ? text : escapeBytes(raw)))
    .join("");
}

/** Makes text from `decodeText` safe to print on one line: control and invisible characters become `\xNN`. */
export function escapeUnprintable(text: string): string {
  return decodePrintable(new TextEncoder().encode(text));
}

/** Returns the characters; `text` is null for a byte of invalid UTF-8. */
function readCharacters(bytes: Uint8Array) {
  const characters: { readonly text: string | null; readonly bytes: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = expectedLength(bytes[at] ?? 0);
    const raw = bytes.subarray(at, at + length);
    const text = decodeStrict(raw);
    const taken = text === null ? bytes.subarray(at, at + 1) : raw;
    characters.push({ text, bytes: taken });
    at += taken.length;
  }
  return characters;
}

function expectedLength(lead: number): number {
  if (lead < 0xe0) return lead < 0xc0 ? 1 : 2;
  return lead < 0xf0 ? 3 : 4;
}

function decodeStrict(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    // The decoder throws only for invalid UTF-8.
    return null;
  }
}

/** False for control, format (direction marks), private and unassigned characters, and for line separators. */
function isPrintable(text: string): boolean {
  return !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/** How text is stored on a disk. */
export type Encoding = "utf-16le" | "utf-16be" | "latin1";

/** UTF-8 of `bytes` up to a NUL, as libblkid makes it: a lone surrogate becomes three bytes of its own, half a unit at the end is dropped. */
export function toUtf8(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  const utf8: number[] = [];
  for (const point of readPoints(bytes, encoding)) {
    if (point === 0) break;
    pushUtf8(utf8, point);
  }
  return Uint8Array.from(utf8);
}

function* readPoints(bytes: Uint8Array, encoding: Encoding): Generator<number> {
  if (encoding === "latin1") {
    yield* bytes;
    return;
  }
  const [high, low] = encoding === "utf-16le" ? [1, 0] : [0, 1];
  const unitAt = (at: number) => ((bytes[at + high] ?? 0) << 8) | (bytes[at + low] ?? 0);
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    const unit = unitAt(at);
    const next = unit >= 0xd800 && unit <= 0xdbff && at + 4 <= bytes.length ? unitAt(at + 2) : 0;
    if (next >= 0xdc00 && next <= 0xdfff) {
      yield 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
      at += 2;
    } else {
      yield unit;
    }
  }
}

function pushUtf8(into: number[], point: number): void {
  const tail = (shift: number) => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x80) into.push(point);
  else if (point < 0x800) into.push(0xc0 | (point >> 6), tail(0));
  else if (point < 0x10000) into.push(0xe0 | (point >> 12), tail(6), tail(0));
  else into.push(0xf0 | (point >> 18), tail(12), tail(6), tail(0));
}

/** Returns the texts of a list whose items are texts, or false or null for those that do not apply. */
export function onlyTexts(...items: readonly (string | false | null | undefined)[]): readonly string[] {
  return items.filter((item) => typeof item === "string");
}

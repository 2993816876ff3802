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

interface Character {
  /** null for invalid UTF-8. */
  readonly text: string | null;
  readonly bytes: Uint8Array;
}

function readCharacters(bytes: Uint8Array): readonly Character[] {
  const characters: Character[] = [];
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

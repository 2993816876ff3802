const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text: UTF-8, and every byte that is no part of valid UTF-8 as `\xNN`, the spelling of `Facts.label`. */
export function decodeText(bytes: Uint8Array): string {
  const whole = decodeStrictly(bytes);
  if (whole !== null) return whole;
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    const sequence = bytes.subarray(at, at + length);
    const decoded = sequence.length === length ? decodeStrictly(sequence) : null;
    text += decoded ?? `\\x${(bytes[at] ?? 0).toString(16).padStart(2, "0")}`;
    at += decoded === null ? 1 : length;
  }
  return text;
}

function decodeStrictly(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    // TypeError is the decoder's only way to say "not UTF-8".
    return null;
  }
}

/** The length that a UTF-8 sequence's first byte promises. */
function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** Undoes udev's escapes in a name of /dev/disk/by-*: `\x20` is a space (`encode_devnode_name` of systemd). */
export function decodeUdevName(name: string): string {
  if (!name.includes("\\x")) return name;
  const bytes: number[] = [];
  const escaped = /\\x([0-9a-fA-F]{2})|([^\\]+|\\)/g;
  for (const [, hex, plain] of name.matchAll(escaped)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else bytes.push(...new TextEncoder().encode(plain));
  }
  return decodeText(Uint8Array.from(bytes));
}

import { wipe } from "../luks/secret.ts";

/** A longer passphrase is refused: cutting it would only look like a wrong one. */
export const LONGEST_PASSPHRASE_BYTES = 512;

/** What a person has typed so far on one terminal, as bytes. */
export interface TypedLine {
  /** Takes what came from the terminal at `nowMs`. What follows its end (a paste goes on after Enter) is dropped. */
  type(bytes: Uint8Array, nowMs: number): LineChange;
  isEmpty(): boolean;
  /** A copy, which the caller wipes. */
  copy(): Uint8Array;
  wipe(): void;
}

/** What typing came to. */
export interface LineChange {
  /** Enter or Ctrl-D; Ctrl-C; or Enter after more than `LONGEST_PASSPHRASE_BYTES`, and then the line is empty again. */
  readonly end: "entered" | "cancelled" | "too long" | null;
  /** Something was not taken. */
  readonly bell: boolean;
}

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const CTRL_U = 0x15;
const CTRL_W = 0x17;
const BACKSPACES = [0x08, 0x7f];
const ESC = 0x1b;
/** What a key sends comes at once; a person who pressed Escape by mistake goes on later than that. */
const KEY_SEQUENCE_MS = 100;

/** Where we are in what an arrow or a function key sends: ESC, ESC [ …, or one byte before its end (ESC O A, the console's ESC [ [ A). */
type KeySequence = "none" | "begun" | "brackets" | "last";

/** An empty line. Backspace takes a whole UTF-8 character, Ctrl-U and Ctrl-W all of it; the keys that move a cursor do nothing. */
export function createTypedLine(): TypedLine {
  const buffer = new Uint8Array(LONGEST_PASSPHRASE_BYTES);
  let length = 0;
  let isTooLong = false;
  let sequence: KeySequence = "none";
  let lastMs = 0;

  function cutTo(end: number): void {
    buffer.fill(0, end);
    length = end;
  }
  function clear(): void {
    cutTo(0);
    isTooLong = false;
    sequence = "none";
  }
  /** False where the byte is not taken. */
  function append(byte: number): boolean {
    isTooLong ||= length === buffer.length;
    const isText = byte >= 0x20 || byte === TAB;
    if (!isText || isTooLong) return false;
    buffer[length++] = byte;
    return true;
  }
  function erase(): boolean {
    if (length === 0 || isTooLong) return false;
    cutTo(lastCharacter(buffer.subarray(0, length)));
    return true;
  }
  function end(): LineChange["end"] {
    if (!isTooLong) return "entered";
    clear();
    return "too long";
  }
  /** Anything but text; null where the byte is text. */
  function control(byte: number): LineChange | null {
    if (byte === CR || byte === LF || byte === CTRL_D) return { end: end(), bell: false };
    if (byte === CTRL_C) return { end: "cancelled", bell: false };
    if (BACKSPACES.includes(byte)) return { end: null, bell: !erase() };
    if (byte !== CTRL_U && byte !== CTRL_W) return null;
    clear();
    return NOTHING;
  }

  return {
    type(bytes, nowMs) {
      if (nowMs - lastMs > KEY_SEQUENCE_MS) sequence = "none";
      lastMs = nowMs;
      let bell = false;
      for (const byte of bytes) {
        const before = sequence;
        sequence = follow(before, byte);
        if (sequence !== "none" || isPartOf(before, byte)) continue;
        const change = control(byte) ?? { end: null, bell: !append(byte) };
        bell ||= change.bell;
        if (change.end !== null) return { end: change.end, bell };
      }
      return { end: null, bell };
    },
    isEmpty: () => length === 0,
    copy: () => buffer.slice(0, length),
    wipe() {
      wipe(buffer);
      clear();
    },
  };
}

const NOTHING: LineChange = { end: null, bell: false };

/** Where the last character begins: UTF-8 where it is that, else its last byte (a keyboard in Latin-1). */
function lastCharacter(text: Uint8Array): number {
  for (let size = 1; size <= Math.min(4, text.length); size++) {
    const byte = text[text.length - size] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const isLead = size === (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1);
    return text.length - (isLead ? size : 1);
  }
  return text.length - 1;
}

function follow(sequence: KeySequence, byte: number): KeySequence {
  if (byte === ESC) return "begun";
  const character = String.fromCharCode(byte);
  if (sequence === "begun") return character === "[" ? "brackets" : character === "O" ? "last" : "none";
  if (sequence !== "brackets") return "none";
  if (character === "[") return "last";
  return byte >= 0x20 && byte <= 0x3f ? "brackets" : "none"; // ECMA-48: parameters, until a letter
}

/** True where this byte was the last one of a sequence; one that cannot be (Enter) is what it always is. */
function isPartOf(sequence: KeySequence, byte: number): boolean {
  return (sequence === "brackets" || sequence === "last") && byte >= 0x40 && byte <= 0x7e;
}

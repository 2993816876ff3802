import { secretBytes } from "../crypto/secret.ts";
import { createKeySequence } from "./key-sequence.ts";

/** A longer passphrase is refused: a truncated one would only be wrong. */
export const LONGEST_PASSPHRASE_BYTES = 512;

/** The bytes typed so far on one terminal. */
export interface TypedLine {
  /** Adds bytes that came from the terminal at `nowMs`; drops what follows the end of the line (a paste may continue after Enter). */
  type(bytes: Uint8Array, nowMs: number): LineChange;
  isEmpty(): boolean;
  /** A copy, which the caller wipes. */
  copy(): Uint8Array;
  wipe(): void;
}

interface LineChange {
  /** Enter or Ctrl-D; Ctrl-C; or Enter after more than `LONGEST_PASSPHRASE_BYTES`, and then the line is empty again. */
  readonly end: "entered" | "cancelled" | "too long" | null;
  /** A key was refused. */
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

/** Creates an empty line. Backspace erases a UTF-8 character, Ctrl-U and Ctrl-W the whole line; cursor keys do nothing. */
export function createTypedLine(): TypedLine {
  const buffer = secretBytes(LONGEST_PASSPHRASE_BYTES);
  let length = 0;
  let isTooLong = false;
  const isOfSequence = createKeySequence();

  function cutTo(end: number): void {
    buffer.fill(0, end);
    length = end;
  }
  function clear(): void {
    cutTo(0);
    isTooLong = false;
  }
  /** Returns false if the byte is refused. */
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
  /** null for a byte of text. */
  function control(byte: number): LineChange | null {
    if (byte === CR || byte === LF || byte === CTRL_D) return { end: end(), bell: false };
    if (byte === CTRL_C) return { end: "cancelled", bell: false };
    if (BACKSPACES.includes(byte)) return { end: null, bell: !erase() };
    if (byte !== CTRL_U && byte !== CTRL_W) return null;
    clear();
    return { end: null, bell: false };
  }

  return {
    type(bytes, nowMs) {
      let bell = false;
      for (const byte of bytes) {
        if (isOfSequence(byte, nowMs)) continue;
        const change = control(byte) ?? { end: null, bell: !append(byte) };
        bell ||= change.bell;
        if (change.end !== null) return { end: change.end, bell };
      }
      return { end: null, bell };
    },
    isEmpty: () => length === 0,
    copy() {
      const copy = secretBytes(length);
      copy.set(buffer.subarray(0, length));
      return copy;
    },
    wipe: clear,
  };
}

/** Returns where the last character begins: in UTF-8, or else (a Latin-1 keyboard) the last byte. */
function lastCharacter(text: Uint8Array): number {
  for (let size = 1; size <= Math.min(4, text.length); size++) {
    const byte = text[text.length - size] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return text.length - (size === sizeByLead(byte) ? size : 1);
  }
  return text.length - 1;
}

/** The length of a character by its first byte (RFC 3629). */
function sizeByLead(byte: number): number {
  if (byte < 0xc0) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}

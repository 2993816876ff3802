const ESC = 0x1b;
/** What a key sends comes at once; a person who pressed Escape by mistake goes on later than that. */
const SEQUENCE_MS = 100;

/** Where we are: after ESC, after ESC [, or one byte before the end (ESC O A, and ESC [ [ A of the kernel's own terminals). */
type Place = "outside" | "escape" | "brackets" | "last";

/** What arrow and function keys send, told from text (ECMA-48's control sequences, console_codes(4)). */
export interface KeySequence {
  /** True where `byte`, which came at `nowMs`, belongs to such a key. */
  takes(byte: number, nowMs: number): boolean;
}

/** Begins outside of any. */
export function createKeySequence(): KeySequence {
  let place: Place = "outside";
  let lastMs = 0;
  return {
    takes(byte, nowMs) {
      const before = nowMs - lastMs > SEQUENCE_MS ? "outside" : place;
      lastMs = nowMs;
      place = follow(before, byte);
      return place !== "outside" || isEnd(before, byte);
    },
  };
}

function follow(place: Place, byte: number): Place {
  if (byte === ESC) return "escape";
  const character = String.fromCharCode(byte);
  if (place === "escape") return character === "[" ? "brackets" : afterEscape(character);
  if (place !== "brackets") return "outside";
  if (character === "[") return "last";
  return byte >= 0x20 && byte <= 0x3f ? "brackets" : "outside"; // its parameters, until a letter
}

function afterEscape(character: string): Place {
  return character === "O" ? "last" : "outside";
}

/** A byte that cannot end one (Enter) is what it always is. */
function isEnd(place: Place, byte: number): boolean {
  return (place === "brackets" || place === "last") && byte >= 0x40 && byte <= 0x7e;
}

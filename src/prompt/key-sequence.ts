const ESC = 0x1b;
/** The bytes of a key come at once; after a mistaken Escape, a person types on later than this. */
const SEQUENCE_MS = 100;

/** The state: after ESC, after ESC [, or one byte before the end (ESC O A, and ESC [ [ A of the kernel's virtual terminals). */
type Place = "outside" | "escape" | "brackets" | "last";

/**
 * Creates a function that tells the sequences of arrow and function keys (control sequences of ECMA-48, console_codes(4)) from text:
 * it returns true if `byte`, which came at `nowMs`, belongs to a sequence.
 */
export function createKeySequence(): (byte: number, nowMs: number) => boolean {
  let place: Place = "outside";
  let lastMs = 0;
  return (byte, nowMs) => {
    const before = nowMs - lastMs > SEQUENCE_MS ? "outside" : place;
    lastMs = nowMs;
    place = follow(before, byte);
    return place !== "outside" || isEnd(before, byte);
  };
}

function follow(place: Place, byte: number): Place {
  if (byte === ESC) return "escape";
  const character = String.fromCharCode(byte);
  if (place === "escape" && character === "[") return "brackets";
  if (place === "escape") return character === "O" ? "last" : "outside";
  if (place !== "brackets") return "outside";
  if (character === "[") return "last";
  return byte >= 0x20 && byte <= 0x3f ? "brackets" : "outside"; // its parameters, until a letter
}

/** A byte that cannot end a sequence, such as Enter, keeps its meaning. */
function isEnd(place: Place, byte: number): boolean {
  return (place === "brackets" || place === "last") && byte >= 0x40 && byte <= 0x7e;
}

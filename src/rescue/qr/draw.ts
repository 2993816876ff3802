import { encode, renderUnicodeCompact } from "uqr";
import { decodeQr, encodeQr, type QrOrder } from "./order.ts";
import { BORDER } from "./size.ts";

const LIGHT = "\x1b[7m  \x1b[27m";
const DARK = "  ";

/** Returns what draws QR codes, in a process of its own. */
export function createDrawings(): (order: Uint8Array) => Uint8Array {
  return (bytes) => encodeQr(drawQr(decodeQr(bytes)));
}

/** Draws light modules in the colour of the text, which is light on a console: its background is the dark. */
export function drawQr({ text, hasBlocks }: QrOrder): readonly string[] {
  const bytes = [...new TextEncoder().encode(text)];
  const options = { ecc: "L", border: BORDER } as const;
  if (hasBlocks) return renderUnicodeCompact(bytes, options).split("\n");
  return encode(bytes, options).data.map((row) => row.map((isDark) => (isDark ? DARK : LIGHT)).join(""));
}

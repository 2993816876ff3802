import type { TerminalSize } from "../../machine/terminals.ts";

/** Modules around a code. ISO/IEC 18004 asks for four; phones read two, and a console has few rows. */
export const BORDER = 2;
/** The bytes that a code of version 1, 2, … holds with the level of correction L (ISO/IEC 18004, table 7). */
const CAPACITIES = [17, 32, 53, 78, 106, 134];

/** The longest text that is shown. */
export const MOST_BYTES = Math.max(...CAPACITIES);

/** Returns the size of the code of a text in characters; null if the text is too long. */
export function sizeOfQr(bytes: number, hasBlocks: boolean): TerminalSize | null {
  const version = CAPACITIES.findIndex((capacity) => bytes <= capacity) + 1;
  if (version === 0) return null;
  const modules = 17 + 4 * version + 2 * BORDER;
  return hasBlocks ? { columns: modules, rows: Math.ceil(modules / 2) } : { columns: 2 * modules, rows: modules };
}

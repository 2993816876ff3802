import type { Area } from "../area.ts";
import { holds, le32 } from "../bytes.ts";

/** An entry of a partition table in the form of the MBR (UEFI 2.10, 5.2.1). */
export interface MbrEntry {
  /** 0x80 for the active one. */
  readonly bootIndicator: number;
  readonly type: number;
  /** In sectors, relative to the base of the table. */
  readonly start: number;
  readonly size: number;
}

const TABLE_START = 446;
const ENTRY_BYTES = 16;

/** Reads the four entries of a sector that ends with 55aa. */
export function readMbrEntries(sector: Uint8Array): readonly MbrEntry[] {
  return [0, 1, 2, 3].map((i) => {
    const at = TABLE_START + i * ENTRY_BYTES;
    return {
      bootIndicator: sector[at] ?? 0,
      type: sector[at + 4] ?? 0,
      start: le32(sector, at + 8),
      size: le32(sector, at + 12),
    };
  });
}

/** Returns the 512 bytes at `start` (units of 512) if they end with 55aa; null otherwise. */
export function readMbrSector(area: Area, start: number): Uint8Array | null {
  const sector = area.bytes(start * 512, 512);
  return sector !== null && holds(sector, 510, "\x55\xaa") ? sector : null;
}

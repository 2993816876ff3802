import type { Area } from "../area.ts";
import { holds, le32 } from "../bytes.ts";

const TABLE_START = 446;
const ENTRY_BYTES = 16;

/** An entry of a partition table in the form of the MBR. */
export type MbrEntry = ReturnType<typeof readMbrEntries>[number];

/** Reads the four entries of a sector that ends with 55aa (UEFI 2.10, 5.2.1). Start and size are in sectors, relative to the base of the table; the boot indicator of the active one is 0x80. */
export function readMbrEntries(sector: Uint8Array) {
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

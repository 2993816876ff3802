import { holds, le16, le64 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** What the superblock of dm-integrity says. */
export interface IntegritySuperblock {
  /** Bytes of the checksum of each block. */
  readonly tagBytes: number;
  /** Sectors of 512 bytes that hold data; 0 in a superblock that the kernel has yet to complete. */
  readonly sectors: number;
  readonly blockBytes: number;
}

const SUPERBLOCK_BYTES = 512;
/** The kernel has blocks of up to 4096 bytes. */
const MOST_LOG_SECTORS = 3;

/** Reads struct superblock of drivers/md/dm-integrity.c at this byte; null if there is none. */
export function readIntegritySuperblock(source: ByteSource, offset: number): IntegritySuperblock | null {
  const block = source.read(offset, SUPERBLOCK_BYTES);
  const logSectors = block[28] ?? 0;
  const isOurs = block.length === SUPERBLOCK_BYTES && holds(block, 0, "integrt\0") && logSectors <= MOST_LOG_SECTORS;
  if (!isOurs) return null;
  return { tagBytes: le16(block, 10), sectors: Number(le64(block, 16)), blockBytes: 512 << logSectors };
}

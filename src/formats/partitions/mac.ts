import type { Area } from "../area.ts";
import { be16, be32, holds } from "../bytes.ts";
import { trimEnd, untilNul } from "../tags.ts";
import { decodeText } from "../text.ts";
import type { Partition, TableFormat } from "./model.ts";

// Inside Macintosh: Devices, chapter 3. The driver descriptor in the first block has the block size.
const ENTRY_BYTES = 136;
const MAX_PARTITIONS = 256;

function readEntry(area: Area, blockSize: number, index: number): Uint8Array | null {
  const block = area.bytes(index * blockSize, blockSize);
  return block !== null && (holds(block, 0, "PM") || holds(block, 0, "TS")) ? block : null;
}

const readText = (bytes: Uint8Array) => decodeText(trimEnd(untilNul(bytes)));

/** Reads all entries, whose number is in the first one; none if one of them is damaged, as in libblkid. */
function readPartitions(area: Area, blockSize: number, count: number): readonly Partition[] {
  const factor = Math.floor(blockSize / 512);
  const partitions: Partition[] = [];
  for (let number = 1; number <= count; number++) {
    const entry = readEntry(area, blockSize, number);
    if (entry === null) return [];
    const name = readText(entry.subarray(16, 48));
    partitions.push({
      number,
      start: be32(entry, 8) * factor,
      size: be32(entry, 12) * factor,
      type: readText(entry.subarray(48, 80)) || "0x0",
      uuid: null,
      name: name || null,
      attributes: 0n,
      scheme: "mac",
    });
  }
  return partitions;
}

/** Apple's partition map. */
export const mac: TableFormat = {
  type: "mac",
  magics: [{ text: "ER", at: 0 }],
  recognise(area) {
    const blockSize = be16(area.bytes(0, 512) ?? new Uint8Array(), 2);
    const first = blockSize >= ENTRY_BYTES ? readEntry(area, blockSize, 1) : null;
    if (first === null) return null;
    const count = Math.min(be32(first, 4), MAX_PARTITIONS);
    return { uuid: null, listPartitions: () => readPartitions(area, blockSize, count) };
  },
};

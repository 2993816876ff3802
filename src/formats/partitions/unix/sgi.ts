import type { Area } from "../../area.ts";
import { be32 } from "../../bytes.ts";
import type { Partition, TableFormat } from "../model.ts";
import { makeSlice } from "./slice.ts";

const FIRST_ENTRY = 312;
const ENTRY_BYTES = 12;
const MAX_PARTITIONS = 16;

/** struct sgi_disklabel of linux/block/partitions/sgi.c: its 128 big-endian words make zero. */
function readLabel(area: Area): Uint8Array | null {
  const label = area.bytes(0, 512);
  let sum = 0;
  for (let at = 0; label !== null && at < 512; at += 4) {
    sum = (sum + be32(label, at)) >>> 0;
  }
  return sum === 0 ? label : null;
}

function readPartitions(label: Uint8Array): readonly Partition[] {
  const partitions: Partition[] = [];
  for (let i = 0; i < MAX_PARTITIONS; i++) {
    const at = FIRST_ENTRY + i * ENTRY_BYTES;
    const size = be32(label, at);
    if (size !== 0) {
      partitions.push(makeSlice("sgi", { number: i + 1, start: be32(label, at + 4), size }, be32(label, at + 8)));
    }
  }
  return partitions;
}

/** SGI's disk label. */
export const sgi: TableFormat = {
  type: "sgi",
  magics: [{ text: "\x0b\xe5\xa9\x41", at: 0 }],
  recognise(area) {
    const label = readLabel(area);
    return label && { uuid: null, listPartitions: () => readPartitions(label) };
  },
};

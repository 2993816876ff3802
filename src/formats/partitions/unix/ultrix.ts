import { le32 } from "../../bytes.ts";
import type { Partition, TableFormat } from "../model.ts";
import { makeSlice } from "./slice.ts";

const LABEL = 16384 - 72;
const MAGIC = 0x032957;
const MAX_PARTITIONS = 8;

function readPartitions(label: Uint8Array): readonly Partition[] {
  const partitions: Partition[] = [];
  for (let i = 0; i < MAX_PARTITIONS; i++) {
    const size = le32(label, 8 + i * 8);
    if (size !== 0) {
      partitions.push(makeSlice("ultrix", { number: i + 1, start: le32(label, 12 + i * 8), size }, 0));
    }
  }
  return partitions;
}

/** DEC's Ultrix: at the end of the first 16 KiB. */
export const ultrix: TableFormat = {
  type: "ultrix",
  magics: [],
  recognise(area) {
    const label = area.bytes(LABEL, 72);
    const isLabel = label !== null && le32(label, 0) === MAGIC && le32(label, 4) === 1;
    return isLabel ? { uuid: null, listPartitions: () => readPartitions(label) } : null;
  },
};

import type { Area } from "../../area.ts";
import { le16, le32 } from "../../bytes.ts";
import type { Partition, TableFormat } from "../model.ts";
import type { Parent } from "./bsd.ts";
import { isInside, makeSlice } from "./slice.ts";

// The VTOC of Solaris on x86, in the second sector of its partition.
const MAX_SLICES = 16;
const FIRST_SLICE = 72;
const SLICE_BYTES = 12;
const WHOLE_DISK = 5;

function readVtoc(area: Area): Uint8Array | null {
  const vtoc = area.bytes(512, 512);
  return vtoc !== null && le32(vtoc, 16) === 1 ? vtoc : null;
}

/** Reads the slices, which count from the start of `parent`. The last one is left out, as in libblkid. */
export function readSolarisSlices(area: Area, parent: Parent, firstNumber: number): readonly Partition[] {
  const vtoc = readVtoc(area) ?? new Uint8Array();
  const slices: Partition[] = [];
  for (let i = 0; i < Math.min(le16(vtoc, 30), MAX_SLICES) - 1; i++) {
    const at = FIRST_SLICE + i * SLICE_BYTES;
    const start = (le32(vtoc, at + 4) + (parent?.start ?? 0)) >>> 0;
    const size = le32(vtoc, at + 8);
    const tag = le16(vtoc, at);
    if (size !== 0 && tag !== WHOLE_DISK && (parent === null || isInside(parent, start, size))) {
      const slice = { number: firstNumber + slices.length, start, size };
      slices.push(makeSlice("solaris", slice, tag, le16(vtoc, at + 2)));
    }
  }
  return slices;
}

/** A Solaris VTOC. */
export const solaris: TableFormat = {
  type: "solaris",
  magics: [{ text: "\xee\xde\x0d\x60", at: 524 }],
  recognise: (area) => readVtoc(area) && { uuid: null, listPartitions: () => readSolarisSlices(area, null, 1) },
};

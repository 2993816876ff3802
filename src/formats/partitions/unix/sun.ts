import type { Area } from "../../area.ts";
import { be16, be32 } from "../../bytes.ts";
import type { Partition, TableFormat } from "../model.ts";
import { makeSlice } from "./slice.ts";

// struct sun_disklabel of linux/block/partitions/sun.c with its VTOC.
const MAX_PARTITIONS = 8;
const FIRST_INFO = 142;
const FIRST_ENTRY = 444;
const WHOLE_DISK = 5;
const VTOC_SANITY = 0x600ddeee;

/** The label, whose 16-bit words xor to zero; else null. */
function readLabel(area: Area): Uint8Array | null {
  const label = area.bytes(0, 512);
  let sum = 0;
  for (let at = 0; label !== null && at < 512; at += 2) {
    sum ^= be16(label, at);
  }
  return sum === 0 ? label : null;
}

function readPartitions(label: Uint8Array): readonly Partition[] {
  const sectorsPerCylinder = be16(label, 436) * be16(label, 438);
  const count = be16(label, 140);
  const isValid = be32(label, 188) === VTOC_SANITY && be32(label, 128) === 1 && count <= MAX_PARTITIONS;
  // Old Linux left the VTOC empty, but for the types.
  const isOld = be32(label, 188) === 0 && be32(label, 128) === 0 && count === 0;
  const partitions: Partition[] = [];
  for (let i = 0; i < (isValid ? count : MAX_PARTITIONS); i++) {
    const info = isValid || isOld ? label.subarray(FIRST_INFO + i * 4, FIRST_INFO + i * 4 + 4) : new Uint8Array(4);
    const at = FIRST_ENTRY + i * 8;
    const size = be32(label, at + 4);
    if (be16(info, 0) !== WHOLE_DISK && size !== 0) {
      const slice = { number: i + 1, start: be32(label, at) * sectorsPerCylinder, size };
      partitions.push(makeSlice("sun", slice, be16(info, 0), be16(info, 2)));
    }
  }
  return partitions;
}

/** Sun's disk label. */
export const sun: TableFormat = {
  type: "sun",
  magics: [{ text: "\xda\xbe", at: 508 }],
  recognise(area) {
    const label = readLabel(area);
    return label && { uuid: null, listPartitions: () => readPartitions(label) };
  },
};

import type { Area } from "../../area.ts";
import { le16, le32 } from "../../bytes.ts";
import type { Magic } from "../../signature.ts";
import type { Partition, TableFormat } from "../model.ts";
import { isInside, makeSlice } from "./slice.ts";

// struct disklabel of the BSDs; its place depends on the architecture.
const MAGICS: readonly Magic[] = [512, 64, 128].map((at) => ({ text: "\x57\x45\x56\x82", at }));
const LABEL_BYTES = 404;
const MAX_PARTITIONS = 16;
const FIRST_ENTRY = 148;
const ENTRY_BYTES = 16;

/** The partition of an MBR that contains the label; null for a whole disk. */
export type Parent = Partition | null;

function nameScheme(parent: Parent): string {
  const schemes: Readonly<Record<string, string>> = { "0xa5": "freebsd", "0xa6": "openbsd", "0xa9": "netbsd" };
  return schemes[parent?.type ?? ""] ?? "bsd";
}

/** FreeBSD since version 10 counts from the start of its partition: the third slice, which is the whole partition, starts at 0 then. */
function findBase(label: Uint8Array, count: number, parent: Parent): number {
  const isRelative = count >= 3 && le32(label, FIRST_ENTRY + 2 * ENTRY_BYTES + 4) === 0;
  return parent?.type === "0xa5" && isRelative ? parent.start : 0;
}

/** Reads the slices of a label, numbered from `firstNumber`; units of 512 bytes from the start of the disk. */
export function readBsdSlices(
  area: Area,
  magic: Magic | null,
  parent: Parent,
  firstNumber: number,
): readonly Partition[] {
  const label = area.bytes(magic?.at ?? 0, LABEL_BYTES);
  if (label === null || magic === null) return [];
  const count = Math.min(le16(label, 138), MAX_PARTITIONS);
  const base = findBase(label, count, parent);
  const slices: Partition[] = [];
  for (let i = 0; i < count; i++) {
    const at = FIRST_ENTRY + i * ENTRY_BYTES;
    const kind = label[at + 12] ?? 0;
    const size = le32(label, at);
    const start = (le32(label, at + 4) + base) >>> 0;
    const isParent = start === parent?.start && size === parent.size;
    if (kind !== 0 && !isParent && (parent === null || isInside(parent, start, size))) {
      slices.push(makeSlice(nameScheme(parent), { number: firstNumber + slices.length, start, size }, kind));
    }
  }
  return slices;
}

/** A BSD label on a whole disk; libblkid lists its slices but does not report it as PTTYPE. */
export const bsd: TableFormat = {
  type: "bsd",
  isUnnamed: true,
  magics: MAGICS,
  recognise: (area, _fsType, magic) =>
    area.contains(magic?.at ?? 0, LABEL_BYTES)
      ? { uuid: null, listPartitions: () => readBsdSlices(area, magic, null, 1) }
      : null,
};

import type { Area } from "../../area.ts";
import { le16, le32, xorWords } from "../../bytes.ts";
import type { Magic } from "../../signature.ts";
import { makeSlices, type Parent, type Partition, type Slice, type TableFormat } from "../model.ts";

// struct disklabel of the BSDs; its place depends on the architecture.
const MAGICS: readonly Magic[] = [512, 64, 128].map((at) => ({ text: "\x57\x45\x56\x82", at }));
const LABEL_BYTES = 404;
const MAX_PARTITIONS = 16;
const FIRST_ENTRY = 148;
const ENTRY_BYTES = 16;

function nameScheme(parent: Parent): string {
  const schemes: Readonly<Record<string, string>> = { "0xa5": "freebsd", "0xa6": "openbsd", "0xa9": "netbsd" };
  return schemes[parent?.type ?? ""] ?? "bsd";
}

/** FreeBSD since version 10 counts from the start of its partition: the third slice, which is the whole partition, starts at 0 then. */
function findBase(label: Uint8Array, count: number, parent: Parent): number {
  const isRelative = count >= 3 && le32(label, FIRST_ENTRY + 2 * ENTRY_BYTES + 4) === 0;
  return parent?.type === "0xa5" && isRelative ? parent.start : 0;
}

/** Reads a label whose 16-bit words, with its checksum, are zero by XOR. */
function readLabel(area: Area, magic: Magic | null): Uint8Array | null {
  const label = magic === null ? null : area.bytes(magic.at, LABEL_BYTES);
  return label !== null && xorWords(label) === 0 ? label : null;
}

/** Reads the slices of a label, numbered from `first`; units of 512 bytes from the start of the disk. */
export function readBsdSlices(area: Area, magic: Magic | null, parent: Parent, first: number): readonly Partition[] {
  const label = readLabel(area, magic);
  if (label === null) return [];
  const count = Math.min(le16(label, 138), MAX_PARTITIONS);
  const base = findBase(label, count, parent);
  const slices = Array.from({ length: count }, (_, i) => {
    const at = FIRST_ENTRY + i * ENTRY_BYTES;
    return { type: label[at + 12] ?? 0, size: le32(label, at), start: le32(label, at + 4) + base };
  });
  const isParent = ({ start, size }: Slice) => start === parent?.start && size === parent.size;
  const used = slices.filter((slice) => slice.type !== 0 && !isParent(slice));
  return makeSlices(nameScheme(parent), used, parent, first);
}

/** A BSD label on a whole disk; libblkid lists its slices but does not report it as PTTYPE. */
export const bsd: TableFormat = {
  type: "bsd",
  isUnnamed: true,
  magics: MAGICS,
  recognise: (area, _fsType, magic) =>
    readLabel(area, magic) && { uuid: null, listPartitions: () => readBsdSlices(area, magic, null, 1) },
};

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
  const length = Math.max(0, Math.min(le16(vtoc, 30), MAX_SLICES) - 1);
  const slices = Array.from({ length }, (_, i): Slice => {
    const entry = vtoc.subarray(FIRST_SLICE + i * SLICE_BYTES);
    const start = le32(entry, 4) + (parent?.start ?? 0);
    return { start, size: le32(entry, 8), type: le16(entry, 0), flags: le16(entry, 2) };
  });
  const used = slices.filter(({ size, type }) => size !== 0 && type !== WHOLE_DISK);
  return makeSlices("solaris", used, parent, firstNumber);
}

/** A Solaris VTOC. */
export const solaris: TableFormat = {
  type: "solaris",
  magics: [{ text: "\xee\xde\x0d\x60", at: 524 }],
  recognise: (area) => readVtoc(area) && { uuid: null, listPartitions: () => readSolarisSlices(area, null, 1) },
};

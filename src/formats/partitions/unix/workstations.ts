import { be16, be32, le32, sumWords, xorWords } from "../../bytes.ts";
import { at, type FindHeader, header } from "../../layout.ts";
import type { Magic } from "../../signature.ts";
import { makeSlice, type Slice, type TableFormat } from "../model.ts";

/** "IBMA" in EBCDIC. */
export const AIX_MAGIC = "\xc9\xc2\xd4\xc1";

const SUN_VTOC_SANITY = 0x600ddeee;
const SUN_WHOLE_DISK = 5;
const ULTRIX_MAGIC = 0x032957;

type ListSlices = (label: Uint8Array) => readonly (Slice | null)[];

/** A label whose slices have fixed numbers; those without size do not exist. */
function labelFormat(type: string, magics: readonly Magic[], find: FindHeader, list: ListSlices): TableFormat {
  return {
    type,
    magics,
    recognise(area, _fsType, magic) {
      const label = find(area, magic ?? { text: "", at: 0 });
      const listPartitions = () =>
        list(label ?? new Uint8Array()).flatMap((slice, i) =>
          slice === null || slice.size === 0 ? [] : makeSlice(type, i + 1, slice),
        );
      return label && { uuid: null, listPartitions };
    },
  };
}

function count(length: number, read: (i: number) => Slice | null): readonly (Slice | null)[] {
  return Array.from({ length }, (_, i) => read(i));
}

/** The words of struct sgi_disklabel (linux/block/partitions/sgi.c) add up to zero. */
const isSgi = (label: Uint8Array) => sumWords(label, 4, be32) % 2 ** 32 === 0;
/** The words of struct sun_disklabel (linux/block/partitions/sun.c) xor to zero. */
const isSun = (label: Uint8Array) => xorWords(label) === 0;

const listSgi: ListSlices = (label) =>
  count(16, (i) => {
    const entry = label.subarray(312 + i * 12);
    return { start: be32(entry, 4), size: be32(entry, 0), type: be32(entry, 8) };
  });

const listSun: ListSlices = (label) => {
  const sectorsPerCylinder = be16(label, 436) * be16(label, 438);
  const slices = be16(label, 140);
  const isValid = be32(label, 188) === SUN_VTOC_SANITY && be32(label, 128) === 1 && slices <= 8;
  // Old Linux left the VTOC empty, except for the types.
  const isOld = be32(label, 188) === 0 && be32(label, 128) === 0 && slices === 0;
  return count(isValid ? slices : 8, (i) => {
    const info = isValid || isOld ? label.subarray(142 + i * 4, 146 + i * 4) : new Uint8Array(4);
    const entry = label.subarray(444 + i * 8);
    if (be16(info, 0) === SUN_WHOLE_DISK) return null;
    const start = be32(entry, 0) * sectorsPerCylinder;
    return { start, size: be32(entry, 4), type: be16(info, 0), flags: be16(info, 2) };
  });
};

const listUltrix: ListSlices = (label) =>
  count(8, (i) => ({ start: le32(label, 12 + i * 8), size: le32(label, 8 + i * 8), type: 0 }));

/** AIX, of which only the first bytes are known. */
export const aix = labelFormat("aix", at(0, AIX_MAGIC), header(0, 4), () => []);
/** SGI's disk label. */
export const sgi = labelFormat("sgi", at(0, "\x0b\xe5\xa9\x41"), header(0, 512, isSgi), listSgi);
/** Sun's disk label with its VTOC. */
export const sun = labelFormat("sun", at(508, "\xda\xbe"), header(0, 512, isSun), listSun);
/** The label of DEC's Ultrix, at the end of the first 16 KiB. */
export const ultrix = labelFormat(
  "ultrix",
  [],
  header(16384 - 72, 72, (label) => le32(label, 0) === ULTRIX_MAGIC && le32(label, 4) === 1),
  listUltrix,
);

import type { Area } from "../area.ts";
import { findMagic } from "../signature.ts";
import { readMbrEntries, readMbrSector } from "./mbr.ts";
import type { Partition } from "./model.ts";
import { bsd, readBsdSlices } from "./unix/bsd.ts";
import { isInside, makeSlice } from "./unix/slice.ts";
import { readSolarisSlices, solaris } from "./unix/solaris.ts";

const BSD_TYPES: readonly string[] = ["0xa5", "0xa6", "0xa9"];
const SOLARIS_TYPE = "0x82";
const MINIX_TYPE = "0x81";
const MINIX = 0x81;
const LAST_PRIMARY = 4;
const FIRST_NESTED = 5;

/** Minix divides its partition by another MBR, whose entries count from the start of the disk. */
function readMinixSlices(area: Area, parent: Partition, firstNumber: number): readonly Partition[] {
  const sector = readMbrSector(area, 0);
  const entries = sector === null ? [] : readMbrEntries(sector);
  return entries
    .filter(({ type, start, size }) => type === MINIX && isInside(parent, start, size))
    .map(({ start, size, bootIndicator }, i) =>
      makeSlice("minix", { number: firstNumber + i, start, size }, MINIX, bootIndicator),
    );
}

function readNestedTable(area: Area, parent: Partition, firstNumber: number): readonly Partition[] {
  const inside = area.part(parent.start * 512, parent.size * 512);
  if (inside === null) return [];
  if (BSD_TYPES.includes(parent.type)) return readBsdSlices(inside, findMagic(inside, bsd.magics), parent, firstNumber);
  // Linux swap has the same type.
  if (parent.type === SOLARIS_TYPE && findMagic(inside, solaris.magics) !== null) {
    return readSolarisSlices(inside, parent, firstNumber);
  }
  return parent.type === MINIX_TYPE ? readMinixSlices(inside, parent, firstNumber) : [];
}

/** Reads the tables inside primary partitions; their partitions are numbered after all those of the MBR. */
export function readNestedTables(area: Area, partitions: readonly Partition[]): readonly Partition[] {
  const nested: Partition[] = [];
  if (area.isTiny) return nested;
  const first = Math.max(FIRST_NESTED, (partitions.at(-1)?.number ?? 0) + 1);
  for (const parent of partitions.filter(({ number }) => number <= LAST_PRIMARY)) {
    nested.push(...readNestedTable(area, parent, first + nested.length));
  }
  return nested;
}

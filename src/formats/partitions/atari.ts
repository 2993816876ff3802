import type { Area } from "../area.ts";
import { be32 } from "../bytes.ts";
import type { Partition, TableFormat } from "./model.ts";

// AHDI 3.0 with ICD's extension, as in linux/block/partitions/atari.c.
const PRIMARY = { at: 0x1c6, count: 4 };
const ICD = { at: 0x156, count: 8 };
const ENTRY_BYTES = 12;
const MAX_LINKS = 100;
const ICD_IDS = ["GEM", "BGM", "LNX", "SWP", "RAW"];

type Entry = ReturnType<typeof readEntries>[number];

function readEntries(sector: Uint8Array, { at, count }: typeof PRIMARY) {
  return Array.from({ length: count }, (_, i) => {
    const entry = sector.subarray(at + i * ENTRY_BYTES, at + (i + 1) * ENTRY_BYTES);
    return {
      isActive: ((entry[0] ?? 0) & 1) === 1,
      id: String.fromCharCode(...entry.subarray(1, 4)),
      start: be32(entry, 4),
      size: be32(entry, 8),
    };
  });
}

function isPlausible(start: number, size: number, limit: number): boolean {
  return start > 0 && start <= limit && size > 0 && size <= limit && start + size <= limit;
}

/** Returns the root sector; it has no magic, so every number in it is checked. */
function readRoot(area: Area): Uint8Array | null {
  const root = area.sectorSize === 512 ? area.bytes(0, 512) : null;
  const sectors = Math.floor(area.size / 512);
  const limit = root === null ? 0 : be32(root, 0x1c2);
  if (root === null || sectors > 0x7fffffff || limit < 2 || limit > sectors) return null;
  const [badStart, badLength] = [be32(root, 0x1f6), be32(root, 0x1fa)];
  const isBadList = (badStart === 0 && badLength === 0) || isPlausible(badStart, badLength, limit);
  // Letters as the kernel's isalnum() knows them, which are Latin-1's.
  const isPartition = ({ isActive, id, start, size }: Entry) =>
    isActive && /^[0-9A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]{3}$/.test(id) && isPlausible(start, size, limit);
  return isBadList && readEntries(root, PRIMARY).some(isPartition) ? root : null;
}

/** Adds a partition; false if another starts at the same sector. */
function add(partitions: Partition[], number: number, { id, size }: Entry, start: number): boolean {
  if (partitions.some((partition) => partition.start === start)) return false;
  partitions.push({ number, start, size, type: id, uuid: null, name: null, attributes: 0n, scheme: "atari" });
  return true;
}

/** Adds the chain of an extended partition and returns the next number. Each link has a partition and the next link. */
function addExtended(area: Area, first: number, partitions: Partition[], firstNumber: number): number {
  let number = firstNumber;
  let link = first;
  for (let turn = 0; turn < MAX_LINKS; turn++) {
    const sector = area.bytes(link * 512, 512);
    const entries = sector === null ? [] : readEntries(sector, PRIMARY);
    const at = entries.slice(0, 3).findIndex((entry) => entry.isActive);
    const [data, next] = at < 0 ? [] : entries.slice(at, at + 2);
    if (data === undefined || data.id === "XGM" || !add(partitions, number, data, (data.start + link) >>> 0)) {
      return number;
    }
    number++;
    if (next?.isActive !== true || next.id !== "XGM") return number;
    link = (first + next.start) >>> 0;
  }
  return number;
}

const isExtended = (entry: Entry) => entry.isActive && entry.id === "XGM";

/** Adds the four entries of the root sector and returns the next number; an inactive entry keeps its number. */
function addPrimary(area: Area, entries: readonly Entry[], partitions: Partition[]): number {
  let number = 1;
  for (const entry of entries) {
    if (isExtended(entry)) {
      number = addExtended(area, entry.start, partitions, number);
    } else {
      if (entry.isActive) add(partitions, number, entry, entry.start);
      number++;
    }
  }
  return number;
}

function readPartitions(area: Area, root: Uint8Array): readonly Partition[] {
  const partitions: Partition[] = [];
  const primary = readEntries(root, PRIMARY);
  const first = addPrimary(area, primary, partitions);
  const icd = readEntries(root, ICD);
  const hasIcd = !primary.some(isExtended) && ICD_IDS.includes(icd[0]?.id ?? "");
  for (const [i, entry] of hasIcd ? icd.entries() : []) {
    if (entry.isActive && ICD_IDS.includes(entry.id)) add(partitions, first + i, entry, entry.start);
  }
  return partitions;
}

/** Atari's root sector. */
export const atari: TableFormat = {
  type: "atari",
  magics: [],
  recognise(area) {
    const root = readRoot(area);
    return root && { uuid: null, listPartitions: () => readPartitions(area, root) };
  },
};

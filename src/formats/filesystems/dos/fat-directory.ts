import type { Area } from "../../area.ts";
import { le16, le32 } from "../../bytes.ts";

const ENTRY_BYTES = 32;
const VOLUME_ID = 0x08;
const DIRECTORY = 0x10;
const LONG_NAME = 0x0f;

/** Root directory of FAT32: a chain of clusters. Sectors count from the start of the device. */
export interface ClusterChain {
  readonly sectorSize: number;
  readonly sectorsPerCluster: number;
  readonly reservedSectors: number;
  readonly firstDataSector: number;
  readonly fatSectors: number;
  readonly rootCluster: number;
}

/** Finds the 11 bytes of the volume label in a directory of at most `count` entries, or null. It is usually the first entry, so they are read one by one. */
export function findLabelEntry(area: Area, offset: number, count: number): Uint8Array | null {
  if (!area.isTiny && !area.contains(offset, count * ENTRY_BYTES)) return null;
  for (let i = 0; i < count; i++) {
    const entry = area.bytes(offset + i * ENTRY_BYTES, ENTRY_BYTES);
    if (entry === null || entry[0] === 0) return null;
    if (isLabel(entry)) {
      const name = Uint8Array.from(entry.subarray(0, 11));
      // 0xe5 as first byte marks a deleted entry, so a name that begins with it is stored with 0x05.
      name[0] = name[0] === 0x05 ? 0xe5 : (name[0] ?? 0);
      return name;
    }
  }
  return null;
}

function isLabel(entry: Uint8Array): boolean {
  const attributes = entry[11] ?? 0;
  const hasCluster = le16(entry, 20) !== 0 || le16(entry, 26) !== 0;
  return (
    entry[0] !== 0xe5 &&
    !hasCluster &&
    (attributes & 0x3f) !== LONG_NAME &&
    (attributes & (VOLUME_ID | DIRECTORY)) === VOLUME_ID
  );
}

/** Finds the volume label in the root directory of FAT32. It follows at most 99 clusters, as libblkid does, so a loop in the chain ends. */
export function findLabelInChain(area: Area, chain: ClusterChain): Uint8Array | null {
  const clusterBytes = chain.sectorsPerCluster * chain.sectorSize;
  const clusterCount = Math.floor((chain.fatSectors * chain.sectorSize) / 4) >>> 0;
  let cluster = chain.rootCluster;
  for (let turn = 1; turn < 100 && cluster !== 0 && cluster < clusterCount; turn++) {
    const sector = (chain.firstDataSector + Math.imul(cluster - 2, chain.sectorsPerCluster)) >>> 0;
    const label = findLabelEntry(area, sector * chain.sectorSize, clusterBytes / ENTRY_BYTES);
    if (label !== null) return label;
    const link = chain.reservedSectors * chain.sectorSize + cluster * 4;
    const next = area.contains(link, clusterBytes) ? area.bytes(link, 4) : null;
    cluster = next === null ? 0 : le32(next, 0) & 0x0fffffff;
  }
  return null;
}

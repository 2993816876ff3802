import type { Area } from "../../area.ts";
import { holds, isEmpty, isWithin, le32 } from "../../bytes.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addSerial, addVersion } from "../../tags.ts";
import { toUtf8 } from "../../text.ts";

// Microsoft, exFAT file system specification, 3.1 and 7.3.
const FIRST_CLUSTER = 2;
const LAST_CLUSTER = 0xffffff6;
const ENTRY_BYTES = 32;
const END = 0x00;
const LABEL = 0x83;
const MAX_ENTRIES = (256 * 1024 * 1024) / ENTRY_BYTES;
const JUMP_AND_NAME = "\xeb\x76\x90EXFAT   ";

/** `tableStart` and `dataStart` are counted in blocks. */
type Layout = Readonly<Record<"blockBytes" | "clusterBytes" | "tableStart" | "dataStart", number>>;

function offsetOf({ dataStart, blockBytes, clusterBytes }: Layout, cluster: number): number {
  return dataStart * blockBytes + ((cluster - FIRST_CLUSTER) >>> 0) * clusterBytes;
}

/** Finds the entry of the root directory with the label, or null. */
function findLabel(area: Area, layout: Layout, rootCluster: number): Uint8Array | null {
  let cluster = rootCluster;
  let offset = offsetOf(layout, cluster);
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const entry = area.bytes(offset, ENTRY_BYTES);
    if (entry === null || entry[0] === END) return null;
    if (entry[0] === LABEL) return entry;
    offset += ENTRY_BYTES;
    if (offset % layout.clusterBytes === 0) {
      const next = area.bytes(layout.tableStart * layout.blockBytes + cluster * 4, 4);
      cluster = next === null ? 0 : le32(next, 0);
      if (cluster < FIRST_CLUSTER || cluster > LAST_CLUSTER) return null;
      offset = offsetOf(layout, cluster);
    }
  }
  return null;
}

const SUMMED_SECTORS = 11;
// The fields that a mount changes: volume flags and the percentage in use.
const NOT_SUMMED = [106, 107, 112];

/** The sum of the first eleven sectors fills the twelfth (3.4). */
function hasRightSum(area: Area, sectorBytes: number): boolean {
  const sectors = area.bytes(0, (SUMMED_SECTORS + 1) * sectorBytes);
  if (sectors === null) return false;
  const end = SUMMED_SECTORS * sectorBytes;
  let sum = 0;
  for (let at = 0; at < end; at++) {
    if (!NOT_SUMMED.includes(at)) sum = (((sum << 31) | (sum >>> 1)) + (sectors[at] ?? 0)) >>> 0;
  }
  for (let at = end; at < sectors.length; at += 4) if (le32(sectors, at) !== sum) return false;
  return true;
}

/** Returns the boot sector if its fields are those of the specification (3.1). */
function readBoot(area: Area): Uint8Array | null {
  const boot = area.bytes(0, 512);
  if (boot === null || !holds(boot, 0, JUMP_AND_NAME) || !holds(boot, 510, "\x55\xaa")) return null;
  const [blockLog = 0, clusterLog = 0, tables = 0] = boot.subarray(108, 111);
  const [tableStart, tableBlocks, dataStart] = [le32(boot, 80), le32(boot, 84), le32(boot, 88)];
  const allTables = tableBlocks * tables;
  const isValid =
    isEmpty(boot.subarray(11, 64)) &&
    isWithin(tables, 1, 2) &&
    isWithin(blockLog, 9, 12) &&
    isWithin(clusterLog, 0, 25 - blockLog) &&
    isWithin(tableStart, 24, dataStart - allTables) &&
    isWithin(dataStart, tableStart + allTables, 2 ** 31) &&
    isWithin(le32(boot, 96), FIRST_CLUSTER, le32(boot, 92) + 1);
  return isValid && hasRightSum(area, 1 << blockLog) ? boot : null;
}

/** True if the device begins with an exFAT filesystem, whose boot sector looks like an MBR. */
export function isExfat(area: Area): boolean {
  return readBoot(area) !== null;
}

/** exFAT. */
export const exfat: Signature = {
  type: "exfat",
  usage: "filesystem",
  magics: [{ text: "EXFAT   ", at: 3 }],
  read(area, tags) {
    const boot = readBoot(area);
    if (boot === null) return false;
    const [minor = 0, major = 0] = boot.subarray(104, 106);
    const [blockLog = 0, clusterLog = 0] = boot.subarray(108, 110);
    const [blockBytes, clusterBytes] = [1 << blockLog, 1 << (blockLog + clusterLog)];
    const layout = { blockBytes, clusterBytes, tableStart: le32(boot, 80), dataStart: le32(boot, 88) };
    const entry = findLabel(area, layout, le32(boot, 96));
    const name = entry?.subarray(2, 2 + Math.min((entry[1] ?? 0) * 2, 22)) ?? new Uint8Array();
    addLabel(tags, toUtf8(name, "utf-16le"));
    addSerial(tags, boot.subarray(100, 104));
    addVersion(tags, `${major}.${minor}`);
    addBlockSize(tags, blockBytes);
    return true;
  },
};

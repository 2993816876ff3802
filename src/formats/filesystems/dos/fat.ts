import type { Area } from "../../area.ts";
import { holds, isPowerOfTwo, le16, le32 } from "../../bytes.ts";
import { isBitlocker } from "../../containers/bitlocker.ts";
import { at } from "../../layout.ts";
import { findMagic, type Magic, type Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addSerial, addTag, addTrimmed, addVersion } from "../../tags.ts";

// Most clusters of each kind in Linux (fs/fat/inode.c).
const [FAT12_MAX, FAT16_MAX, FAT32_MAX] = [0xff4, 0xfff4, 0x0ffffff6];

const MAGICS: readonly Magic[] = [
  ...at(0x52, "MSWIN", "FAT32   "),
  ...at(0x36, "MSDOS", "FAT16   ", "FAT12   ", "FAT     "),
  ...at(0, "\xeb", "\xe9"),
  ...at(0x1fe, "\x55\xaa"),
];

type Layout = NonNullable<ReturnType<typeof readLayout>>;

/** Many boot sectors have a jump instruction and 55aa, so more is required if there is nothing else. */
function isPlausible(boot: Uint8Array, magic: Magic): boolean {
  if (magic.text.length > 2) return true;
  return holds(boot, 0x1fe, "\x55\xaa") && !holds(boot, 0x36, "JFS     ") && !holds(boot, 0x36, "HPFS    ");
}

/** Reads the BIOS parameter block (Microsoft's FAT specification, 3.1), as far as it is needed here; `fatSectors` are those of all copies of the table together. */
function readLayout(area: Area, magic: Magic) {
  const boot = area.bytes(0, 512);
  if (boot === null || !isPlausible(boot, magic)) return null;
  const sectorSize = le16(boot, 0x0b);
  const [sectorsPerCluster = 0, , , fats = 0] = boot.subarray(0x0d, 0x11);
  const reservedSectors = le16(boot, 0x0e);
  const media = boot[0x15] ?? 0;
  const isSectorSize = isPowerOfTwo(sectorSize) && sectorSize >= 512 && sectorSize <= 4096;
  const isMedia = media >= 0xf8 || media === 0xf0;
  if (fats === 0 || reservedSectors === 0 || !isMedia || !isPowerOfTwo(sectorsPerCluster) || !isSectorSize) return null;
  const oldLength = le16(boot, 0x16);
  const newLength = le32(boot, 0x24);
  const fatSectors = Math.imul(oldLength || newLength, fats) >>> 0;
  const rootEntries = le16(boot, 0x11);
  const overhead = reservedSectors + fatSectors + Math.ceil((rootEntries * 32) / sectorSize);
  // 32-bit arithmetic that wraps, as in libblkid, which then refuses the count as too large.
  const clusterCount = Math.floor((((le16(boot, 0x13) || le32(boot, 0x20)) - overhead) >>> 0) / sectorsPerCluster);
  const isFat32 = oldLength === 0 && newLength !== 0;
  const mostOld = clusterCount > FAT12_MAX ? FAT16_MAX : FAT12_MAX;
  const most = isFat32 ? FAT32_MAX : mostOld;
  if (clusterCount > most || isBitlocker(area)) return null;
  const fields = { boot, sectorSize, sectorsPerCluster, reservedSectors, fatSectors, rootEntries, clusterCount };
  return { ...fields, isFat32, hasOldTable: oldLength !== 0 };
}

/** True if the device begins with a FAT filesystem, whose boot sector looks like an MBR. */
export function isFat(area: Area): boolean {
  const magic = findMagic(area, MAGICS);
  return magic !== null && readLayout(area, magic) !== null;
}

/** The information sector of FAT32 must have its signatures, or zeros. */
function isInfoValid(area: Area, layout: Layout): boolean {
  const sector = le16(layout.boot, 0x30);
  if (sector === 0) return true;
  const info = area.bytes(sector * layout.sectorSize, 512);
  return (
    info !== null &&
    ["RRaA", "RRdA", "\0\0\0\0"].some((text) => holds(info, 0, text)) &&
    ["rrAa", "\0\0\0\0"].some((text) => holds(info, 484, text))
  );
}

function findLabel(area: Area, layout: Layout): Uint8Array | null {
  const firstDataSector = (layout.reservedSectors + layout.fatSectors) >>> 0;
  if (layout.hasOldTable) {
    return findLabelEntry(area, Math.imul(firstDataSector, layout.sectorSize) >>> 0, layout.rootEntries);
  }
  return layout.isFat32 ? findLabelInChain(area, layout, firstDataSector) : null;
}

function nameVersion({ hasOldTable, isFat32, clusterCount }: Layout): string | null {
  if (!hasOldTable) return isFat32 ? "FAT32" : null;
  if (clusterCount < FAT12_MAX) return "FAT12";
  return clusterCount < FAT16_MAX ? "FAT16" : null;
}

/** FAT of 12, 16 and 32 bits. LABEL is that of the root directory; LABEL_FATBOOT that of the boot sector. */
export const vfat: Signature = {
  type: "vfat",
  usage: "filesystem",
  magics: MAGICS,
  read(area, tags, magic) {
    const layout = magic === null ? null : readLayout(area, magic);
    if (layout === null || (layout.isFat32 && !isInfoValid(area, layout))) return false;
    const { boot, hasOldTable, isFat32 } = layout;
    // On FAT32 the extended parameters follow the 32-bit fields.
    const extended = hasOldTable ? 0x26 : 0x42;
    const mark = boot[extended];
    const hasExtended = hasOldTable || isFat32;
    if (hasOldTable) addTag(tags, "SEC_TYPE", "msdos");
    if (hasExtended && mark === 0x29 && !holds(boot, extended + 5, "NO NAME    ")) {
      addTrimmed(tags, "LABEL_FATBOOT", boot.subarray(extended + 5, extended + 16));
    }
    addLabel(tags, findLabel(area, layout) ?? new Uint8Array());
    if (hasOldTable ? mark === 0x28 || mark === 0x29 : isFat32) {
      addSerial(tags, boot.subarray(extended + 1, extended + 5));
    }
    const version = nameVersion(layout);
    if (version !== null) addVersion(tags, version);
    addBlockSize(tags, layout.sectorSize);
    return true;
  },
};

const ENTRY_BYTES = 32;
const [VOLUME_ID, DIRECTORY, LONG_NAME] = [0x08, 0x10, 0x0f];

/** Finds the 11 bytes of the volume label in a directory of at most `count` entries, or null. It is usually the first entry, so they are read one by one. */
function findLabelEntry(area: Area, offset: number, count: number): Uint8Array | null {
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
function findLabelInChain(area: Area, layout: Layout, firstDataSector: number): Uint8Array | null {
  const { boot, sectorSize, sectorsPerCluster, reservedSectors } = layout;
  const clusterBytes = sectorsPerCluster * sectorSize;
  // Of one copy of the table, unlike layout.fatSectors.
  const clusterCount = Math.floor((le32(boot, 0x24) * sectorSize) / 4) >>> 0;
  let cluster = le32(boot, 0x2c);
  for (let turn = 1; turn < 100 && cluster !== 0 && cluster < clusterCount; turn++) {
    const sector = (firstDataSector + Math.imul(cluster - 2, sectorsPerCluster)) >>> 0;
    const label = findLabelEntry(area, sector * sectorSize, clusterBytes / ENTRY_BYTES);
    if (label !== null) return label;
    const link = reservedSectors * sectorSize + cluster * 4;
    const next = area.contains(link, clusterBytes) ? area.bytes(link, 4) : null;
    cluster = next === null ? 0 : le32(next, 0) & 0x0fffffff;
  }
  return null;
}

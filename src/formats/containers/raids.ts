import type { Area } from "../area.ts";
import { be32, be64, holds, le16, le32, sumWords } from "../bytes.ts";
import { blanked, rawCrc32 } from "../checksums.ts";
import { at, type Field, fromDiskEnd, raid, tag, uuidText, version } from "../layout.ts";
import type { Signature } from "../signature.ts";
import { untilNul } from "../tags.ts";
import { md } from "./md.ts";

const DDF_MAGIC = 0xde11de11;
const PROMISE_SECTORS = [63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087];
const HIGHPOINT_MAGICS = [0x5a7816f3, 0x5a7816fd];
const BIOS = { minSize: 64 * 1024 };

/** The checksum counts itself as ones. */
function isDdf(anchor: Uint8Array): boolean {
  return be32(anchor, 0) === DDF_MAGIC && rawCrc32(blanked(anchor, 4, 4, 0xff), 0) === be32(anchor, 4);
}

/** The anchor of DDF (SNIA Common RAID Disk Data Format 2.0) in the last sector, or 257 before the end; it points to a primary header with the same signature. */
function findDdf(area: Area): Uint8Array | null {
  for (const sector of [1, 257]) {
    const anchor = area.bytes((Math.floor(area.size / 512) - sector) * 512, 512);
    if (anchor === null) return null;
    if (!isDdf(anchor)) continue;
    const primary = Number(be64(anchor, 96));
    const header = primary === 0 ? anchor : area.bytes(primary * 512, 4);
    return header !== null && be32(header, 0) === be32(anchor, 0) ? anchor : null;
  }
  return null;
}

/** Intel Matrix Storage counts in logical sectors of the disk. */
function findIsw({ size, sectorSize, kind, bytes }: Area): Uint8Array | null {
  const metadata = kind === "partition" ? null : bytes((Math.floor(size / sectorSize) - 2) * sectorSize, 48);
  return metadata !== null && holds(metadata, 0, "Intel Raid ISM Cfg Sig. ") ? metadata : null;
}

/** VERSION, padded with spaces to six characters. */
const iswVersion: Field = tag("VERSION", (bytes) => {
  const text = untilNul(bytes.subarray(24));
  return Uint8Array.from([...new Array<number>(Math.max(0, 6 - text.length)).fill(0x20), ...text]);
});

// What is cheap comes first in the checks: every disk goes through them, and JavaScript is interpreted in a boot.

/** A checksum over the first 50 bytes. */
function isVia(bytes: Uint8Array): boolean {
  if (le16(bytes, 0) !== 0xaa55 || (bytes[2] ?? 255) > 2) return false;
  return bytes.subarray(0, 50).reduce((total, byte) => (total + byte) & 0xff, 0) === bytes[50];
}

/** The 16-bit words, including the checksum, add up to zero. */
function isSilicon(bytes: Uint8Array): boolean {
  if (le32(bytes, 0x60) !== 0x2f000000 || (bytes[0x116] ?? 255) >= 8) return false;
  return (sumWords(bytes.subarray(0, 0x140), 2, le16) & 0xffff) === 0;
}

const NVIDIA_WORDS = 30;

/** The words but the checksum add up to its negation: counted once more, all of them are zero. */
function isNvidia(bytes: Uint8Array): boolean {
  if (!holds(bytes, 0, "NVIDIA  ") || le32(bytes, 8) !== NVIDIA_WORDS) return false;
  return sumWords(bytes.subarray(0, NVIDIA_WORDS * 4), 4, le32) % 2 ** 32 === 0;
}

/** The 16-bit words of the metadata, with the checksum, add up to 0 or 1; the mode is a RAID level. */
function isJmicron(bytes: Uint8Array): boolean {
  if (!holds(bytes, 0, "JM") || (bytes[0x30] ?? 255) > 5) return false;
  return (sumWords(bytes.subarray(0, 128), 2, le16) & 0xffff) <= 1;
}

const isAdaptec = (bytes: Uint8Array) => be32(bytes, 0) === 0x37fc4d1e && be32(bytes, 256) === 0x4450544d;
const isPromise = (bytes: Uint8Array) => holds(bytes, 0, "Promise Technology, Inc.");
const promiseFinders = PROMISE_SECTORS.map((sector) => fromDiskEnd(sector, isPromise, 24));
const isHighpoint = (bytes: Uint8Array) => HIGHPOINT_MAGICS.includes(le32(bytes, 0));
const startsWith = (text: string) => (bytes: Uint8Array) => holds(bytes, 0, text);

type Read<T> = (bytes: Uint8Array) => T;

/** A member of a controller's RAID, with its metadata in the sector that is `sector` from the end. */
function bios(type: string, sector: number, isValid: Read<boolean>, read?: Read<string | number>): Signature {
  return raid(type, [], fromDiskEnd(sector, isValid), read === undefined ? [] : [version(read)], BIOS);
}

/** RAID members: those of Linux, and those of disk controllers' firmware, whose metadata are near the end of whole disks. */
export const RAIDS: readonly Signature[] = [
  md,
  raid("ddf_raid_member", [], findDdf, [uuidText(8, 24), tag("VERSION", (bytes) => bytes.subarray(32, 40))], {
    minSize: 0x30000,
  }),
  raid("isw_raid_member", [], findIsw, [iswVersion], BIOS),
  bios("lsi_mega_raid_member", 1, startsWith("$XIDE$")),
  bios("via_raid_member", 1, isVia, (bytes) => bytes[2] ?? 0),
  bios("silicon_medley_raid_member", 1, isSilicon, (bytes) => `${le16(bytes, 0x10a)}.${le16(bytes, 0x108)}`),
  bios("nvidia_raid_member", 2, isNvidia, (bytes) => le16(bytes, 16)),
  raid(
    "promise_fasttrack_raid_member",
    [],
    (area, magic) => promiseFinders.map((find) => find(area, magic)).find((found) => found !== null) ?? null,
    [],
    { minSize: 256 * 1024 },
  ),
  bios("hpt45x_raid_member", 11, isHighpoint),
  // The only one near the start.
  raid("hpt37x_raid_member", at(4640, "\xf0\x16\x78\x5a", "\xfd\x16\x78\x5a"), (area) =>
    area.kind === "partition" ? null : area.head(),
  ),
  bios("adaptec_raid_member", 1, isAdaptec, (bytes) => bytes[63] ?? 0),
  bios("jmicron_raid_member", 1, isJmicron, (bytes) => `${bytes[3] ?? 0}.${bytes[2] ?? 0}`),
];

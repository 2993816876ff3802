import type { Area } from "../area.ts";
import { be32, holds, le16, le32 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addTag, addVersion, type Tags, untilNul } from "../tags.ts";

// RAIDs made by the firmware of disk controllers: their metadata lie near the end of whole disks.
const MIN_SIZE = 64 * 1024;

type ReadMetadata = (metadata: Uint8Array, tags: Tags) => boolean;

/** `sector` counts from the end, 1 for the last one, in units of 512 bytes. */
function biosRaid(type: string, sector: number, read: ReadMetadata): Signature {
  return {
    type,
    usage: "raid",
    magics: [],
    minSize: MIN_SIZE,
    read(area, tags) {
      const metadata = area.kind === "partition" ? null : area.bytes((Math.floor(area.size / 512) - sector) * 512, 512);
      return metadata !== null && read(metadata, tags);
    },
  };
}

function sum16(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += le16(bytes, at);
  }
  return sum & 0xffff;
}

/** Intel Matrix Storage; its place counts by the disk's own sectors. */
export const isw: Signature = {
  type: "isw_raid_member",
  usage: "raid",
  magics: [],
  minSize: MIN_SIZE,
  read(area, tags) {
    const offset = (Math.floor(area.size / area.sectorSize) - 2) * area.sectorSize;
    const metadata = area.kind === "partition" ? null : area.bytes(offset, 48);
    if (metadata === null || !holds(metadata, 0, "Intel Raid ISM Cfg Sig. ")) {
      return false;
    }
    const version = untilNul(metadata.subarray(24));
    const padding = Math.max(0, 6 - version.length);
    addTag(tags, "VERSION", Uint8Array.from([...new Array<number>(padding).fill(0x20), ...version]));
    return true;
  },
};

/** LSI MegaRAID. */
export const lsi = biosRaid("lsi_mega_raid_member", 1, (metadata) => holds(metadata, 0, "$XIDE$"));

/** VIA: a checksum over the first 50 bytes. */
export const via = biosRaid("via_raid_member", 1, (metadata, tags) => {
  const version = metadata[2] ?? 255;
  if (le16(metadata, 0) !== 0xaa55 || version > 2) return false;
  const sum = metadata.subarray(0, 50).reduce((total, byte) => (total + byte) & 0xff, 0);
  if (sum !== metadata[50]) return false;
  addVersion(tags, String(version));
  return true;
});

/** Silicon Image Medley: the 16-bit words up to the checksum and it make zero. */
export const silicon = biosRaid("silicon_medley_raid_member", 1, (metadata, tags) => {
  const isMagic = le32(metadata, 0x60) === 0x2f000000 && (metadata[0x116] ?? 255) < 8;
  if (!isMagic || sum16(metadata.subarray(0, 0x140)) !== 0) {
    return false;
  }
  addVersion(tags, `${le16(metadata, 0x10a)}.${le16(metadata, 0x108)}`);
  return true;
});

/** NVIDIA MediaShield. */
export const nvidia = biosRaid("nvidia_raid_member", 2, (metadata, tags) => {
  if (!holds(metadata, 0, "NVIDIA")) return false;
  addVersion(tags, String(le16(metadata, 16)));
  return true;
});

const PROMISE_SECTORS = [63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087];

/** Promise FastTrak, at one of many places. */
export const promise: Signature = {
  type: "promise_fasttrack_raid_member",
  usage: "raid",
  magics: [],
  minSize: 256 * 1024,
  read: (area) => area.kind !== "partition" && PROMISE_SECTORS.some((sector) => isPromiseAt(area, sector)),
};

function isPromiseAt(area: Area, sector: number): boolean {
  const metadata = area.bytes((Math.floor(area.size / 512) - sector) * 512, 24);
  return metadata !== null && holds(metadata, 0, "Promise Technology, Inc.");
}

const HIGHPOINT_MAGICS = [0x5a7816f3, 0x5a7816fd];

/** HighPoint 45x. */
export const highpoint45x = biosRaid("hpt45x_raid_member", 11, (metadata) =>
  HIGHPOINT_MAGICS.includes(le32(metadata, 0)),
);

/** HighPoint 37x, the only one near the start. */
export const highpoint37x: Signature = {
  type: "hpt37x_raid_member",
  usage: "raid",
  magics: [
    { text: "\xf0\x16\x78\x5a", at: 4640 },
    { text: "\xfd\x16\x78\x5a", at: 4640 },
  ],
  read: (area) => area.kind !== "partition",
};

/** Adaptec HostRAID. */
export const adaptec = biosRaid("adaptec_raid_member", 1, (metadata, tags) => {
  if (be32(metadata, 0) !== 0x37fc4d1e || be32(metadata, 256) !== 0x4450544d) return false;
  addVersion(tags, String(metadata[63] ?? 0));
  return true;
});

/** JMicron. */
export const jmicron = biosRaid("jmicron_raid_member", 1, (metadata, tags) => {
  if (!holds(metadata, 0, "JM")) return false;
  addVersion(tags, `${metadata[3] ?? 0}.${metadata[2] ?? 0}`);
  return true;
});

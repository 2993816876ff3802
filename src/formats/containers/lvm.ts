import { holds, isEmpty, le16, le32, le64 } from "../bytes.ts";
import { rawCrc32 } from "../checksum.ts";
import type { Signature } from "../signature.ts";
import { addTag, addVersion, type Tags } from "../tags.ts";

// The label of lib/format_text/layout.h in lvm2: 512 bytes, in one of the first four sectors.
const LVM2_TYPE = "LVM2 001";
const CRC_SEED = 0xf597a6cf;
const DASH_BEFORE = [6, 10, 14, 18, 22, 26];

/** LVM's 32 characters with dashes: "xxxxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxxxx". */
function addPvUuid(tags: Tags, id: Uint8Array): void {
  if (!isEmpty(id)) {
    const dashed = Array.from(id).flatMap((byte, i) => (DASH_BEFORE.includes(i) ? [0x2d, byte] : [byte]));
    addTag(tags, "UUID", Uint8Array.from(dashed));
  }
}

/** A physical volume of LVM2. */
export const lvm2: Signature = {
  type: "LVM2_member",
  usage: "raid",
  wipesTable: true,
  magics: [0x218, 0x18, 0x418, 0x618].map((at) => ({ text: LVM2_TYPE, at })),
  read(area, tags, magic) {
    const base = (magic?.at ?? 0) - ((magic?.at ?? 0) % 1024);
    const block = area.bytes(base, 1024);
    const at = block !== null && holds(block, 0, "LABELONE") ? 0 : 512;
    const label = block?.subarray(at, at + 512);
    if (label === undefined || !holds(label, 0, "LABELONE") || le64(label, 8) !== BigInt((base + at) / 512)) {
      return false;
    }
    if (rawCrc32(label.subarray(20), CRC_SEED) !== le32(label, 16)) {
      return false;
    }
    addPvUuid(tags, label.subarray(32, 64));
    addVersion(tags, LVM2_TYPE);
    return true;
  },
};

/** A physical volume of LVM1. */
export const lvm1: Signature = {
  type: "LVM1_member",
  usage: "raid",
  magics: [{ text: "HM", at: 0 }],
  read(area, tags) {
    const label = area.bytes(0, 172);
    if (label === null || ![1, 2].includes(le16(label, 2))) {
      return false;
    }
    addPvUuid(tags, label.subarray(44, 76));
    return true;
  },
};

import type { Area } from "../area.ts";
import { be32, be64, le32, le64 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addTag, addUuidText } from "../tags.ts";

// SNIA Common RAID Disk Data Format 2.0, anchor header.
const MAGIC = 0xde11de11;

function findAnchor(area: Area): Uint8Array | null {
  for (const sector of [1, 257]) {
    const anchor = area.bytes((Math.floor(area.size / 512) - sector) * 512, 512);
    if (anchor === null || be32(anchor, 0) === MAGIC || le32(anchor, 0) === MAGIC) {
      return anchor;
    }
  }
  return null;
}

/** DDF: the anchor in the last sector, or 257 before the end, points to a primary header with the same signature. */
export const ddf: Signature = {
  type: "ddf_raid_member",
  usage: "raid",
  magics: [],
  minSize: 0x30000,
  read(area, tags) {
    const anchor = findAnchor(area);
    if (anchor === null) {
      return false;
    }
    const isBig = be32(anchor, 0) === MAGIC;
    const primary = Number(isBig ? be64(anchor, 96) : le64(anchor, 96));
    const header = primary === 0 ? anchor : area.bytes(primary * 512, 4);
    if (header === null || be32(header, 0) !== be32(anchor, 0)) {
      return false;
    }
    addUuidText(tags, anchor.subarray(8, 32));
    addTag(tags, "VERSION", anchor.subarray(32, 40));
    return true;
  },
};

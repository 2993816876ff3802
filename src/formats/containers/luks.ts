import type { Area } from "../area.ts";
import { be16, holds } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addLabel, addTrimmed, addUuidText, addVersion, type Tags } from "../tags.ts";

const HEADER_BYTES = 512;
// Where the second header of LUKS2 may lie (LUKS2 On-Disk Format Specification, 2.2).
const SECOND_HEADERS = [0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000];

function readHeader(header: Uint8Array, tags: Tags): boolean {
  const version = be16(header, 6);
  addVersion(tags, String(version));
  if (version !== 1 && version !== 2) {
    return true;
  }
  addUuidText(tags, header.subarray(168, 208));
  if (version === 2) {
    addLabel(tags, header.subarray(24, 72));
    addTrimmed(tags, "SUBSYSTEM", header.subarray(208, 256));
  }
  return true;
}

function findSecondHeader(area: Area): Uint8Array | null {
  for (const offset of SECOND_HEADERS) {
    const header = area.bytes(offset, HEADER_BYTES);
    if (header === null) {
      return null;
    }
    if (holds(header, 0, "SKUL\xba\xbe")) {
      return header;
    }
  }
  return null;
}

/** LUKS 1 and 2; of LUKS2 the second header serves where the first is damaged. */
export const luks: Signature = {
  type: "crypto_LUKS",
  usage: "crypto",
  magics: [],
  read(area, tags) {
    const first = area.bytes(0, HEADER_BYTES);
    if (first === null) {
      return false;
    }
    const header = holds(first, 0, "LUKS\xba\xbe") ? first : findSecondHeader(area);
    return header !== null && readHeader(header, tags);
  },
};

import { formatUuid, isEmpty, le32 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addLabel, addTag, addUuidText, addVersion } from "../tags.ts";

const MIB = 1024 * 1024;
const ORDER = [3, 2, 1, 0, 7, 6, 5, 4, 9, 8, 10, 11, 12, 13, 14, 15];

/** VMware's form: two little-endian words, a short one and six bytes. */
function formatVmfsUuid(bytes: Uint8Array): string {
  const digits = formatUuid(Uint8Array.from(ORDER, (at) => bytes[at] ?? 0)).replaceAll("-", "");
  return [digits.slice(0, 8), digits.slice(8, 16), digits.slice(16, 20), digits.slice(20)].join("-");
}

/** VMware's filesystem. */
export const vmfs: Signature = {
  type: "VMFS",
  usage: "filesystem",
  magics: [{ text: "\x5e\xf1\xab\x2f", at: 2 * MIB }],
  read(area, tags) {
    const header = area.bytes(2 * MIB, 157);
    if (header === null) {
      return false;
    }
    const uuid = header.subarray(9, 25);
    if (!isEmpty(uuid)) {
      addTag(tags, "UUID", formatVmfsUuid(uuid));
    }
    addLabel(tags, header.subarray(29, 157));
    addVersion(tags, String(header[8] ?? 0));
    return true;
  },
};

/** A device of a volume that holds VMware's filesystem. */
export const vmfsVolume: Signature = {
  type: "VMFS_volume_member",
  usage: "raid",
  magics: [{ text: "\x0d\xd0\x01\xc0", at: MIB }],
  read(area, tags) {
    const header = area.bytes(MIB, 146);
    if (header === null) {
      return false;
    }
    addTag(tags, "UUID_SUB", formatVmfsUuid(header.subarray(130, 146)));
    addVersion(tags, String(le32(header, 4)));
    addUuidText(tags, area.bytes(MIB + 532, 35) ?? new Uint8Array());
    return true;
  },
};

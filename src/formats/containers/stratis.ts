import { le32, le64 } from "../bytes.ts";
import { crc32c } from "../checksum.ts";
import type { Signature } from "../signature.ts";
import { addTag, addUuidText } from "../tags.ts";

const MAGIC = "!Stra0tis\x86\xff\x02^Arh";
const COPIES = [512, 512 * 9];
const DASH_AFTER = [7, 11, 15, 19];

function addDashes(digits: Uint8Array): Uint8Array {
  return Uint8Array.from(Array.from(digits).flatMap((byte, i) => (DASH_AFTER.includes(i) ? [byte, 0x2d] : [byte])));
}

/** A device of a Stratis pool (Stratis Software Design, 5.2): the first of two copies whose checksum is right. */
export const stratis: Signature = {
  type: "stratis",
  usage: "raid",
  minSize: 8192,
  magics: COPIES.map((at) => ({ text: MAGIC, at: at + 4 })),
  read(area, tags) {
    const sb = COPIES.map((at) => area.bytes(at, 512)).find(
      (copy) => copy && crc32c(copy.subarray(4)) === le32(copy, 0),
    );
    if (!sb) {
      return false;
    }
    addUuidText(tags, addDashes(sb.subarray(64, 96)));
    addTag(tags, "POOL_UUID", addDashes(sb.subarray(32, 64)));
    addTag(tags, "BLOCKDEV_SECTORS", String(le64(sb, 20)));
    addTag(tags, "BLOCKDEV_INITTIME", String(le64(sb, 120)));
    return true;
  },
};

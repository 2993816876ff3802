import type { Area } from "../area.ts";
import { be16, be64, holds } from "../bytes.ts";
import { crypto, label, uuidText, version, when } from "../layout.ts";
import { COPY_SIZES } from "../luks/luks2-copy.ts";
import { addTrimmed } from "../tags.ts";

const HEAD_BYTES = 512;
const FIRST = "LUKS\xba\xbe";
const SECOND = "SKUL\xba\xbe";

const luksVersion = (bytes: Uint8Array) => be16(bytes, 6);

/** Reads a header; null if there is none, or one of LUKS2 that was written for another place. */
function readHeader(area: Area, offset: number, magic: string): Uint8Array | null {
  const head = area.bytes(offset, HEAD_BYTES);
  if (head === null || !holds(head, 0, magic)) return null;
  return luksVersion(head) === 2 && be64(head, 256) !== BigInt(offset) ? null : head;
}

const FIELDS = [
  version(luksVersion),
  when((bytes) => [1, 2].includes(luksVersion(bytes)), uuidText(168, 40)),
  when(
    (bytes) => luksVersion(bytes) === 2,
    label(24, 48),
    (tags, bytes) => addTrimmed(tags, "SUBSYSTEM", bytes.subarray(208, 256)),
  ),
];

/** LUKS 1 and 2 by the first header. */
export const luks = crypto("crypto_LUKS", [], (area) => readHeader(area, 0, FIRST), FIELDS);

/**
 * LUKS2 by its second header, which mkswap and mkfs do not overwrite: whatever else is on the device is newer. libblkid's safe probe
 * (`blkid -p`, udev) ignores it altogether; levain would then not find a volume whose first header is damaged, which it can unlock.
 */
export const luksBySecondHeader = crypto(
  "crypto_LUKS",
  [],
  (area) => {
    for (const offset of COPY_SIZES) {
      const found = readHeader(area, offset, SECOND);
      if (found !== null) return found;
    }
    return null;
  },
  FIELDS,
);

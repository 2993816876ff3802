import type { Area } from "../area.ts";
import { formatGuid, holds, isEmpty, le16, le32, le64 } from "../bytes.ts";
import { at } from "../layout.ts";
import type { Signature } from "../signature.ts";
import { addLabel, addTag, addVersion, type Tags } from "../tags.ts";
import { toUtf8 } from "../text.ts";

// Spec: libbde, "BitLocker Drive Encryption (BDE) format".
const VISTA = "\xeb\x52\x90-FVE-FS-";
const WINDOWS_7 = "\xeb\x58\x90-FVE-FS-";
const TO_GO = "\xeb\x58\x90MSWIN4.1";
/** Where the boot sector has the offset of the metadata; Vista's has none. */
const POINTERS = Object.entries({ [WINDOWS_7]: 176, [TO_GO]: 440 });
// The metadata: a block header, then a header that begins with the size of itself and its entries.
const BLOCK_HEADER_BYTES = 64;
const HEADER_BYTES = 48;
const ENTRY_HEAD_BYTES = 8;
const [DESCRIPTION, TEXT] = [7, 2];

/** Returns the offset of the metadata; 0 if there are none, or for the boot sector of Vista. */
function findMetadata(area: Area, boot: Uint8Array): number {
  const pointer = POINTERS.find(([text]) => holds(boot, 0, text));
  const offset = pointer === undefined ? 0 : Number(le64(boot, pointer[1]));
  const head = offset % 64 === 0 ? area.bytes(offset, BLOCK_HEADER_BYTES + HEADER_BYTES) : null;
  return head !== null && holds(head, 0, "-FVE-FS-") ? offset : 0;
}

/** True if the device is encrypted by BitLocker; its boot sector may look like FAT or NTFS. */
export function isBitlocker(area: Area): boolean {
  const boot = area.bytes(0, 512);
  return boot !== null && (holds(boot, 0, VISTA) || findMetadata(area, boot) !== 0);
}

/** Returns the description of the volume in UTF-16LE, empty if it has none; null if the entries are not valid. */
function findDescription(metadata: Uint8Array): Uint8Array | null {
  for (let offset = HEADER_BYTES; offset + ENTRY_HEAD_BYTES < metadata.length; ) {
    const size = le16(metadata, offset);
    if (offset % 2 !== 0 || size < ENTRY_HEAD_BYTES || offset + size > metadata.length) return null;
    const isDescription = le16(metadata, offset + 2) === DESCRIPTION && le16(metadata, offset + 4) === TEXT;
    if (isDescription) return metadata.subarray(offset + ENTRY_HEAD_BYTES, offset + size);
    offset += size;
  }
  return new Uint8Array();
}

function addMetadata(area: Area, offset: number, tags: Tags): boolean {
  const head = area.bytes(offset, BLOCK_HEADER_BYTES + HEADER_BYTES) ?? new Uint8Array();
  const metadata = area.bytes(offset, BLOCK_HEADER_BYTES + le32(head, BLOCK_HEADER_BYTES));
  const description = metadata && findDescription(metadata.subarray(BLOCK_HEADER_BYTES));
  if (description === null) return false;
  addVersion(tags, String(le16(head, 10)));
  addLabel(tags, toUtf8(description, "utf-16le"));
  const id = head.subarray(80, 96);
  if (!isEmpty(id)) addTag(tags, "UUID", formatGuid(id));
  return true;
}

/** BitLocker. */
export const bitlocker: Signature = {
  type: "BitLocker",
  usage: "crypto",
  magics: at(0, VISTA, WINDOWS_7, TO_GO),
  read(area, tags) {
    const boot = area.bytes(0, 512);
    if (boot === null || !isBitlocker(area)) return false;
    const offset = findMetadata(area, boot);
    return offset === 0 || addMetadata(area, offset, tags);
  },
};

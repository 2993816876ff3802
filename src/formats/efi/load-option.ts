import { formatGuid } from "../bytes.ts";

/** EFI_LOAD_OPTION (UEFI specification, 3.1.3): attributes, the size of the device path, the description in UTF-16, the device path. */
const DESCRIPTION_AT = 6;
/** A node of a device path (10.3.5.1): type "media", subtype "hard drive", 42 bytes with the partition's GUID at byte 24, and at byte 41 the type 2 for a GUID. */
const HARD_DRIVE = { type: 4, subtype: 1, size: 42, guid: 24, signatureType: 41 } as const;
const GUID_SIGNATURE = 2;

/** Returns the PARTUUID of the GPT partition that a boot option of the firmware (Boot####) names; null if it names none. */
export function partitionOfLoadOption(option: Uint8Array): string | null {
  const view = new DataView(option.buffer, option.byteOffset, option.byteLength);
  let at = DESCRIPTION_AT;
  while (at + 1 < option.length && view.getUint16(at, true) !== 0) at += 2;
  for (at += 2; at + 4 <= option.length; ) {
    const size = view.getUint16(at + 2, true);
    const node = option.subarray(at, at + size);
    const isDrive = node[0] === HARD_DRIVE.type && node[1] === HARD_DRIVE.subtype && node.length >= HARD_DRIVE.size;
    if (isDrive && node[HARD_DRIVE.signatureType] === GUID_SIGNATURE) {
      return formatGuid(node.subarray(HARD_DRIVE.guid, HARD_DRIVE.guid + 16));
    }
    if (size < 4) return null;
    at += size;
  }
  return null;
}

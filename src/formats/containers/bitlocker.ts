import type { Area } from "../area.ts";
import { holds, le16, le32, le64 } from "../bytes.ts";
import { at } from "../layout.ts";
import type { Signature } from "../signature.ts";
import { addTag, addVersion } from "../tags.ts";

// Spec: libbde, "BitLocker Drive Encryption (BDE) format".
const VISTA = "\xeb\x52\x90-FVE-FS-";
const WINDOWS_7 = "\xeb\x58\x90-FVE-FS-";
const TO_GO = "\xeb\x58\x90MSWIN4.1";
/** Where the boot sector has the offset of the metadata; Vista's has none. */
const POINTERS = Object.entries({ [WINDOWS_7]: 176, [TO_GO]: 440 });

/** Finds the first bytes of the metadata; null if there are none, or for the boot sector of Vista. */
function findMetadata(area: Area, boot: Uint8Array): Uint8Array | null {
  const pointer = POINTERS.find(([text]) => holds(boot, 0, text));
  const offset = pointer === undefined ? 0 : Number(le64(boot, pointer[1]));
  const metadata = offset === 0 ? null : area.bytes(offset, 12);
  return metadata !== null && holds(metadata, 0, "-FVE-FS-") ? metadata : null;
}

/** True if the device is encrypted by BitLocker; its boot sector may look like FAT or NTFS. */
export function isBitlocker(area: Area): boolean {
  const boot = area.bytes(0, 512);
  return boot !== null && (holds(boot, 0, VISTA) || findMetadata(area, boot) !== null);
}

/** BitLocker. */
export const bitlocker: Signature = {
  type: "BitLocker",
  usage: "crypto",
  magics: at(0, VISTA, WINDOWS_7, TO_GO),
  read(area, tags) {
    const boot = area.bytes(0, 512);
    if (boot === null || !isBitlocker(area)) return false;
    const serial = le32(boot, 67) | 0;
    if (holds(boot, 0, WINDOWS_7) && serial !== 0) {
      addTag(tags, "UUID", `${serial < 0 ? "-" : ""}${String(Math.abs(serial)).padStart(serial < 0 ? 15 : 16, "0")}`);
    }
    const metadata = findMetadata(area, boot);
    if (metadata !== null) addVersion(tags, String(le16(metadata, 10)));
    return true;
  },
};

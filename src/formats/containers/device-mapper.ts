import { le32 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addUuid, addVersion } from "../tags.ts";

/** The store of a device-mapper snapshot. */
export const snapshot: Signature = {
  type: "DM_snapshot_cow",
  usage: "other",
  magics: [{ text: "SnAp", at: 0 }],
  read: () => true,
};

/** The hash device of dm-verity (cryptsetup, lib/verity/verity.c). */
export const verity: Signature = {
  type: "DM_verity_hash",
  usage: "crypto",
  magics: [{ text: "verity\0\0", at: 0 }],
  read(area, tags) {
    const sb = area.bytes(0, 512);
    if (sb === null || le32(sb, 8) !== 1) {
      return false;
    }
    addUuid(tags, sb.subarray(16, 32));
    addVersion(tags, "1");
    return true;
  },
};

/** dm-integrity (struct superblock of drivers/md/dm-integrity.c). */
export const integrity: Signature = {
  type: "DM_integrity",
  usage: "crypto",
  magics: [{ text: "integrt\0", at: 0 }],
  read(area, tags) {
    const version = area.bytes(0, 29)?.[8] ?? 0;
    addVersion(tags, String(version));
    return version !== 0;
  },
};

/** A volume of VDO, deduplicating storage. */
export const vdo: Signature = {
  type: "vdo",
  usage: "other",
  magics: [{ text: "dmvdo001", at: 0 }],
  read(area, tags) {
    const sb = area.bytes(0, 56);
    addUuid(tags, sb?.subarray(40) ?? new Uint8Array());
    return sb !== null;
  },
};

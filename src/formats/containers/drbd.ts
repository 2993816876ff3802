import { be32, be64, holds, isHexDigit, le64 } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addTag, addUuid, addUuidText, addVersion } from "../tags.ts";

const METADATA_BYTES = 4096;
// DRBD_MD_MAGIC_08, _84_UNCLEAN and _09 of drbd_meta_data.h.
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x8374026b, "v08"],
  [0x8374026c, "v08"],
  [0x8374026d, "v09"],
]);

/** A mirror over the network with its metadata at the end of the device; both layouts have the magic at one place. */
export const drbd: Signature = {
  type: "drbd",
  usage: "raid",
  magics: [],
  minSize: 64 * 1024,
  read(area, tags) {
    const metadata = area.bytes(area.size - METADATA_BYTES, 1392);
    const version = metadata === null ? undefined : VERSIONS.get(be32(metadata, 60));
    if (metadata === null || version === undefined) {
      return false;
    }
    const uuid = be64(metadata, version === "v08" ? 40 : 48);
    if (uuid !== 0n) {
      addTag(tags, "UUID", uuid.toString(16));
    }
    addVersion(tags, version);
    return true;
  },
};

/** The control volume of drbdmanage. */
export const drbdManage: Signature = {
  type: "drbdmanage_control_volume",
  usage: "other",
  minSize: 64 * 1024,
  magics: [{ text: "$DRBDmgr=q", at: 0 }],
  read(area, tags) {
    const header = area.bytes(0, 44);
    const data = area.bytes(4096, 8);
    if (header === null || data === null || header[43] !== 0x0a || !header.subarray(11, 43).every(isHexDigit)) {
      return false;
    }
    addUuidText(tags, header.subarray(11, 43));
    if (holds(data, 0, "\x1a\xdb\x98\xa2")) {
      addVersion(tags, String(be32(data, 4) | 0));
    }
    return true;
  },
};

/** The log of DRBD Proxy. */
export const drbdProxy: Signature = {
  type: "drbdproxy_datalog",
  usage: "filesystem",
  minSize: 16 * 1024,
  magics: [{ text: "DRBDdlh*", at: 0 }],
  read(area, tags) {
    const header = area.bytes(0, 40);
    if (header === null) {
      return false;
    }
    addUuid(tags, header.subarray(16, 32));
    addVersion(tags, `v${le64(header, 8)}`);
    return true;
  },
};

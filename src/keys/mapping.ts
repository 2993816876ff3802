import { isNullCipher } from "../crypto/cipher.ts";
import { isBackup, isBound, type LuksHeader, SECTOR_BYTES, type Segment } from "../formats/luks/header.ts";
import { problem } from "../problems/problem.ts";
import { type CryptTarget, describeTarget } from "./crypt-target.ts";
import { refuseRequirements } from "./obstacles.ts";

/** What a device-mapper table for the data needs beside the key and the device's number. */
export interface CryptMapping extends CryptTarget {
  /** Bytes of the volume key. */
  readonly keyBytes: number;
  /** Added to each sector's number for its IV, in sectors of 512 bytes. */
  readonly ivOffset: bigint;
  /** Where the data begin on their device, in sectors of 512 bytes. */
  readonly offsetSectors: number;
  /** Of 512 bytes. With integrity it is that of the dm-integrity device, which is smaller, and must be asked of it. */
  readonly sizeSectors: number;
  /** Bytes that dm-crypt encrypts at once. */
  readonly sectorBytes: number;
  /** dm-crypt's optional words that the header asks for, as "allow_discards" and "sector_size:4096". */
  readonly options: readonly string[];
  /** Flags of the header that are not known, ignored. */
  readonly unknownFlags: readonly string[];
}

/** What the data lie on. */
export interface DataDevice {
  readonly bytes: number;
  /** True where the header lies elsewhere. */
  readonly isDetached: boolean;
  /** True where rd.luks.options=insecure-null was asked for. */
  readonly allowsNull: boolean;
}

// By LUKS2's names; "no-journal" is for dm-integrity.
const FLAGS: Readonly<Record<string, string>> = {
  "allow-discards": "allow_discards",
  "same-cpu-crypt": "same_cpu_crypt",
  "submit-from-crypt-cpus": "submit_from_crypt_cpus",
  "no-read-workqueue": "no_read_workqueue",
  "no-write-workqueue": "no_write_workqueue",
  "high-priority": "high_priority",
};
const INTEGRITY_FLAG = "no-journal";

/** How the data of a LUKS volume are to be mapped. Throws BootError where they cannot be, or must not be. */
export function planMapping(header: LuksHeader, device: DataDevice): CryptMapping {
  refuseRequirements(header);
  const segment = onlySegment(header);
  const { crypt } = segment;
  if (crypt === null) throw problem("data-type-unsupported", { type: segment.type });
  if ([crypt.cipher, crypt.integrity ?? ""].some(isNullCipher) && !device.allowsNull) {
    throw problem("data-not-encrypted", { cipher: crypt.cipher });
  }
  const keyBytes = header.keyslots.find(({ id }) => isBound(header, id))?.keyBytes;
  if (keyBytes === undefined) throw problem("no-volume-key", {});
  const { offset, size } = place(segment, device);
  if (size % crypt.sectorBytes !== 0) throw problem("data-partial-sector", { sectorBytes: crypt.sectorBytes });
  const known = header.flags.flatMap((flag) => (Object.hasOwn(FLAGS, flag) ? (FLAGS[flag] ?? []) : []));
  const target = describeTarget(crypt);
  const sectorOption = crypt.sectorBytes === SECTOR_BYTES ? [] : [`sector_size:${crypt.sectorBytes}`];
  const integrityOption = target.integrity === null ? [] : [target.integrity.option];
  return {
    ...target,
    keyBytes,
    ivOffset: crypt.ivOffset,
    offsetSectors: offset / SECTOR_BYTES,
    sizeSectors: size / SECTOR_BYTES,
    sectorBytes: crypt.sectorBytes,
    options: [...known, ...sectorOption, ...integrityOption],
    unknownFlags: header.flags.filter((flag) => !Object.hasOwn(FLAGS, flag) && flag !== INTEGRITY_FLAG),
  };
}

function onlySegment({ segments }: LuksHeader): Segment {
  const [segment, ...others] = segments.filter(({ flags }) => !isBackup(flags));
  if (segment === undefined || others.length > 0) throw problem("data-in-segments", { count: others.length + 1 });
  return segment;
}

/** Bytes, inside the device. */
function place(
  segment: Segment,
  { bytes, isDetached }: DataDevice,
): { readonly offset: number; readonly size: number } {
  if (segment.offset === 0n && !isDetached) throw problem("data-under-header", {});
  const end = segment.size === null ? BigInt(bytes) : segment.offset + segment.size;
  if (segment.offset >= end || end > BigInt(bytes)) {
    const last = end > segment.offset ? end : segment.offset;
    throw problem("data-beyond-device", {}, { seen: [`data up to byte ${last}`, `device of ${bytes} bytes`] });
  }
  const offset = Number(segment.offset);
  const size = Number(end) - offset;
  // The tail of a device that does not end with a sector is nobody's.
  return { offset, size: segment.size === null ? size - (size % SECTOR_BYTES) : size };
}

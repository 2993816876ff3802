import { isNullCipher } from "../crypto/cipher.ts";
import { type CryptSegment, isBackup, isBound, type LuksHeader, SECTOR_BYTES } from "../formats/luks/header.ts";
import { problem } from "../problems/problem.ts";
import { refuseRequirements } from "./obstacles.ts";

interface CryptTarget {
  /** As in a device-mapper table: "aes-xts-plain64", or "capi:authenc(hmac(sha256),xts(aes))-random". */
  readonly cipher: string;
  /** null without dm-integrity. */
  readonly integrity: IntegrityTarget | null;
}

/** Integrity by dm-integrity below dm-crypt. */
interface IntegrityTarget {
  /** As in the header: "hmac(sha256)", "aead", … */
  readonly type: string;
  /** Bytes that dm-integrity keeps for each sector. */
  readonly tagBytes: number;
  /** Optional parameter of dm-crypt, as "integrity:48:aead". */
  readonly option: string;
}

// libcryptsetup's INTEGRITY_tag_size: the random IV and the tag of each sector are stored next to it.
const TAG_BYTES: Readonly<Record<string, number>> = {
  none: 0,
  aead: 16,
  poly1305: 16,
  "cmac(aes)": 16,
  "hmac(sha1)": 20,
  "hmac(sha256)": 32,
  "hmac(sha512)": 64,
};
const RANDOM_IV_BYTES: Readonly<Record<string, number>> = { xts: 16, ctr: 16, gcm: 12, ccm: 8, "": 16 };

/** Returns the dm-crypt parameters of a segment (libcryptsetup's cipher_c2dm). Throws BootError for an unknown integrity. */
export function describeTarget({ cipher, integrity }: CryptSegment): CryptTarget {
  if (integrity === null) return { cipher, integrity: null };
  const [, name = "", mode = "", iv = ""] = /^([^-]+)-(?:([^-]+)-)?([^-]+)$/.exec(cipher) ?? [];
  const tag = Object.hasOwn(TAG_BYTES, integrity) ? TAG_BYTES[integrity] : undefined;
  if (tag === undefined || name === "" || name.startsWith("capi:")) {
    throw problem("integrity-unsupported", { integrity, cipher });
  }
  const tagBytes = tag + (iv === "random" ? randomIvBytes(name, mode, integrity) : 0);
  const inner = mode === "" ? name : `${mode}(${name})`;
  const option = `integrity:${tagBytes}:${integrity === "none" ? "none" : "aead"}`;
  return { cipher: `capi:${wrap(inner, mode, integrity)}-${iv}`, integrity: { type: integrity, tagBytes, option } };
}

function wrap(inner: string, mode: string, integrity: string): string {
  if (integrity === "none") return inner;
  if (integrity === "aead") return mode === "ccm" ? `rfc4309(${inner})` : inner;
  return integrity === "poly1305" ? `rfc7539(${inner},poly1305)` : `authenc(${integrity},${inner})`;
}

function randomIvBytes(name: string, mode: string, integrity: string): number {
  if (integrity === "poly1305") return 12;
  if (name === "aegis256" && mode === "") return 32;
  return RANDOM_IV_BYTES[mode] ?? 0;
}

/** All of the device-mapper table of the data but the key and the number of the device. */
export interface CryptMapping extends CryptTarget {
  readonly keyBytes: number;
  /** Added to each sector's number for its IV, in sectors of 512 bytes. */
  readonly ivOffset: bigint;
  /** Start of the data on their device, in sectors of 512 bytes. */
  readonly offsetSectors: number;
  /** Sectors of 512 bytes. With integrity it is not valid: the dm-integrity device is smaller and reports its size. */
  readonly sizeSectors: number;
  /** Bytes of the sectors that dm-crypt encrypts. */
  readonly sectorBytes: number;
  /** Optional parameters of dm-crypt that the header requires, as "allow_discards" and "sector_size:4096". */
  readonly options: readonly string[];
  /** Unknown flags of the header, which are ignored. */
  readonly unknownFlags: readonly string[];
}

/** Device with the data. */
export interface DataDevice {
  readonly bytes: number;
  /** True for a detached header. */
  readonly isDetached: boolean;
  /** True with rd.luks.options=insecure-null. */
  readonly allowsNull: boolean;
}

// Their names in LUKS2, in which dm-crypt has "_" for "-"; "no-journal" is for dm-integrity.
const FLAGS =
  "allow-discards same-cpu-crypt submit-from-crypt-cpus no-read-workqueue no-write-workqueue high-priority".split(" ");
const INTEGRITY_FLAG = "no-journal";

/** Plans the mapping of the data of a LUKS volume. Throws BootError if they cannot or must not be mapped. */
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
  const known = header.flags.filter((flag) => FLAGS.includes(flag)).map((flag) => flag.replaceAll("-", "_"));
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
    unknownFlags: header.flags.filter((flag) => !FLAGS.includes(flag) && flag !== INTEGRITY_FLAG),
  };
}

function onlySegment({ segments }: LuksHeader) {
  const [segment, ...others] = segments.filter(({ flags }) => !isBackup(flags));
  if (segment === undefined || others.length > 0) throw problem("data-in-segments", { count: others.length + 1 });
  return segment;
}

/** Returns offset and size of the data in bytes, inside the device. */
function place(segment: ReturnType<typeof onlySegment>, { bytes, isDetached }: DataDevice) {
  if (segment.offset === 0n && !isDetached) throw problem("data-under-header", {});
  const extent = `device of ${bytes} bytes`;
  if (segment.offset >= BigInt(bytes)) {
    const code = isDetached ? "segment-beyond-device" : "header-without-data";
    throw problem(code, {}, { seen: [`data from byte ${segment.offset} on`, extent] });
  }
  const end = segment.size === null ? BigInt(bytes) : segment.offset + segment.size;
  if (end > BigInt(bytes)) throw problem("segment-beyond-device", {}, { seen: [`data up to byte ${end}`, extent] });
  const offset = Number(segment.offset);
  const size = Number(end) - offset;
  // The rest of a device after its last whole sector is unused.
  return { offset, size: segment.size === null ? size - (size % SECTOR_BYTES) : size };
}

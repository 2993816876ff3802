import type { CryptSegment } from "../formats/luks/header.ts";
import { problem } from "../problems/problem.ts";

/** Parameters of a dm-crypt target. */
export interface CryptTarget {
  /** As in a device-mapper table: "aes-xts-plain64", or "capi:authenc(hmac(sha256),xts(aes))-random". */
  readonly cipher: string;
  /** null without dm-integrity. */
  readonly integrity: IntegrityTarget | null;
}

/** Integrity by dm-integrity below dm-crypt. */
export interface IntegrityTarget {
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

import type { CipherSpec } from "../crypto/cipher.ts";
import { runtimeCrypto } from "../crypto/runtime-crypto.ts";
import { wipe } from "../crypto/secret.ts";
import { decryptXts } from "../crypto/xts.ts";
import { SECTOR_BYTES } from "../formats/luks/header.ts";
import { makeIvs } from "./sector-iv.ts";

/**
 * Decrypts key material as dm-crypt would: sectors of 512 bytes, numbered from 0 (libcryptsetup's crypto_storage.c).
 */
export interface AreaDecryptor {
  /** True if it supports the cipher with keys of that size. */
  handles(spec: CipherSpec, keyBytes: number): boolean;
  /** A new array as long as `data`, whole sectors; the caller wipes it. */
  decrypt(spec: CipherSpec, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Says why it does not support a cipher that another machine may support; follows "is encrypted with serpent-xts-plain64, ". */
  explain?(spec: CipherSpec, keyBytes: number): string;
}

type DecryptSectors = (key: Uint8Array, ivs: Uint8Array, data: Uint8Array) => Uint8Array;

const MODES: Readonly<Record<string, DecryptSectors>> = {
  xts: (key, ivs, data) => decryptXts(key, ivs, data, SECTOR_BYTES),
  ecb: (key, _ivs, data) =>
    runtimeCrypto()
      .createDecipheriv(`aes-${key.length * 8}-ecb`, key, null)
      .setAutoPadding(false)
      .update(data),
  cbc: (key, ivs, data) => decryptEach("cbc", key, ivs, data),
  ctr: (key, ivs, data) => decryptEach("ctr", key, ivs, data),
};

/** AES by the runtime, in the modes and with the IVs that are used for key material. */
export const aesDecryptor: AreaDecryptor = {
  handles(spec, keyBytes) {
    const aesBytes = spec.mode === "xts" ? keyBytes / 2 : keyBytes;
    if (spec.cipher !== "aes" || ![16, 24, 32].includes(aesBytes) || !Object.hasOwn(MODES, spec.mode)) return false;
    // XTS has two keys, with which dm-crypt refuses eboiv.
    if (spec.mode === "xts" && spec.iv === "eboiv") return false;
    return makeIvs(spec, new Uint8Array(16), 0) !== null;
  },
  decrypt(spec, key, data) {
    const mode = MODES[spec.mode];
    const ivs = makeIvs(spec, key, data.length / SECTOR_BYTES);
    if (mode === undefined || ivs === null) throw new Error(`asked to decrypt ${spec.text}`);
    return mode(key, ivs, data);
  },
};

/** No encryption: for key material with a null cipher, if that was explicitly allowed. */
export const nullDecryptor: AreaDecryptor = {
  handles: (spec) => spec.cipher === "cipher_null",
  decrypt: (_spec, _key, data) => Uint8Array.from(data),
};

function decryptEach(mode: "cbc" | "ctr", key: Uint8Array, ivs: Uint8Array, data: Uint8Array): Uint8Array {
  const plain = new Uint8Array(data.length);
  for (let at = 0, sector = 0; at < data.length; at += SECTOR_BYTES, sector++) {
    const iv = ivs.subarray(sector * 16, sector * 16 + 16);
    const decipher = runtimeCrypto()
      .createDecipheriv(`aes-${key.length * 8}-${mode}`, key, iv)
      .setAutoPadding(false);
    const part = decipher.update(data.subarray(at, at + SECTOR_BYTES));
    plain.set(part, at);
    wipe(part);
  }
  return plain;
}

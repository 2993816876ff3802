import type { CipherSpec } from "../crypto/cipher.ts";
import { findHash } from "../crypto/hash.ts";
import { runtimeCrypto, wipe } from "../crypto/secret.ts";
import { decryptXts } from "../crypto/xts.ts";
import { SECTOR_BYTES } from "../formats/luks/header.ts";

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
  ecb: (key, _ivs, data) => decipher("ecb", key, null).update(data),
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

function decipher(mode: string, key: Uint8Array, iv: Uint8Array | null) {
  return runtimeCrypto()
    .createDecipheriv(`aes-${key.length * 8}-${mode}`, key, iv)
    .setAutoPadding(false);
}

function decryptEach(mode: "cbc" | "ctr", key: Uint8Array, ivs: Uint8Array, data: Uint8Array): Uint8Array {
  const plain = new Uint8Array(data.length);
  for (let at = 0, sector = 0; at < data.length; at += SECTOR_BYTES, sector++) {
    const iv = ivs.subarray(sector * 16, sector * 16 + 16);
    const part = decipher(mode, key, iv).update(data.subarray(at, at + SECTOR_BYTES));
    plain.set(part, at);
    wipe(part);
  }
  return plain;
}

/** The cipher for which IVs are made. */
export interface IvCipher {
  readonly ivBytes: number;
  readonly blockBytes: number;
  /** True for a valid key size. */
  accepts(keyBytes: number): boolean;
  /** Encrypts whole blocks independently; a new array. */
  encrypt(key: Uint8Array, blocks: Uint8Array): Uint8Array;
}

const aes: IvCipher = {
  ivBytes: 16,
  blockBytes: 16,
  accepts: (keyBytes) => [16, 24, 32].includes(keyBytes),
  encrypt: (key, blocks) =>
    runtimeCrypto()
      .createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
      .setAutoPadding(false)
      .update(blocks),
};

/** Writes the IV of a sector over zeros. */
type WriteIv = (iv: DataView, sector: number, blockBytes: number) => void;

const plain64: WriteIv = (iv, sector) => iv.setBigUint64(0, BigInt(sector), true);
const byteOffset: WriteIv = (iv, sector) => iv.setBigUint64(0, BigInt(sector * SECTOR_BYTES), true);

const PLAIN: Readonly<Record<string, WriteIv>> = {
  // A mode without IV, and "null", the kernel's name for zeros.
  "": () => undefined,
  null: () => undefined,
  plain: (iv, sector) => iv.setUint32(0, sector >>> 0, true),
  plain64,
  plain64be: (iv, sector) => iv.setBigUint64(iv.byteLength - 8, BigInt(sector)),
  // Counted in blocks of the cipher, from 1.
  benbi: (iv, sector, blockBytes) =>
    iv.setBigUint64(iv.byteLength - 8, BigInt(sector) * BigInt(SECTOR_BYTES / blockBytes) + 1n),
};

/**
 * Returns the IVs of `count` sectors from 0 on, concatenated, as dm-crypt makes them (drivers/md/dm-crypt.c, "Different IV
 * generation algorithms"); null for an unknown algorithm or hash. `key` is that of `cipher`, AES by default.
 */
export function makeIvs(spec: CipherSpec, key: Uint8Array, count: number, cipher = aes): Uint8Array | null {
  if (spec.iv === "essiv") {
    const hash = findHash(spec.ivOption);
    if (hash === null || !cipher.accepts(hash.bytes)) return null;
    const salt = runtimeCrypto().createHash(hash.name).update(key).digest();
    try {
      return cipher.encrypt(salt, writeIvs(plain64, count, cipher));
    } finally {
      wipe(salt);
    }
  }
  if (spec.ivOption !== "") return null;
  if (spec.iv === "eboiv") return cipher.encrypt(key, writeIvs(byteOffset, count, cipher));
  const write = Object.hasOwn(PLAIN, spec.iv) ? PLAIN[spec.iv] : undefined;
  return write === undefined ? null : writeIvs(write, count, cipher);
}

function writeIvs(write: WriteIv, count: number, { ivBytes, blockBytes }: IvCipher): Uint8Array {
  const ivs = new Uint8Array(count * ivBytes);
  for (let sector = 0; sector < count; sector++) {
    write(new DataView(ivs.buffer, sector * ivBytes, ivBytes), sector, blockBytes);
  }
  return ivs;
}

import type { CipherSpec } from "./cipher.ts";
import { findHash } from "./hash.ts";
import { SECTOR_BYTES } from "./header.ts";
import { runtimeCrypto } from "./runtime-crypto.ts";
import { wipe } from "./secret.ts";

const IV_BYTES = 16;

/** Fills in a sector's IV, which comes as zeros. */
type WriteIv = (iv: DataView, sector: number) => void;

const plain64: WriteIv = (iv, sector) => iv.setBigUint64(0, BigInt(sector), true);
const byteOffset: WriteIv = (iv, sector) => iv.setBigUint64(0, BigInt(sector * SECTOR_BYTES), true);

const PLAIN: Readonly<Record<string, WriteIv>> = {
  // A mode without IV, and "null", which is the kernel's word for zeros.
  "": () => undefined,
  null: () => undefined,
  plain: (iv, sector) => iv.setUint32(0, sector >>> 0, true),
  plain64,
  plain64be: (iv, sector) => iv.setBigUint64(8, BigInt(sector)),
  // Counted in blocks of the cipher, from 1.
  benbi: (iv, sector) => iv.setBigUint64(8, BigInt(sector) * BigInt(SECTOR_BYTES / IV_BYTES) + 1n),
};

/**
 * The IVs of `count` sectors from 0 on, 16 bytes each, one after the other, as dm-crypt makes them (drivers/md/dm-crypt.c,
 * "Different IV generation algorithms"). null for a way, or a hash, that is not known. `key` is that of an AES.
 */
export function makeIvs(spec: CipherSpec, key: Uint8Array, count: number): Uint8Array | null {
  if (spec.iv === "essiv") {
    const hash = findHash(spec.ivOption);
    if (hash === null || ![16, 24, 32].includes(hash.bytes)) return null;
    const salt = runtimeCrypto().createHash(hash.name).update(key).digest();
    try {
      return encryptIvs(salt, writeIvs(plain64, count));
    } finally {
      wipe(salt);
    }
  }
  if (spec.ivOption !== "") return null;
  if (spec.iv === "eboiv") return encryptIvs(key, writeIvs(byteOffset, count));
  const write = Object.hasOwn(PLAIN, spec.iv) ? PLAIN[spec.iv] : undefined;
  return write === undefined ? null : writeIvs(write, count);
}

function writeIvs(write: WriteIv, count: number): Uint8Array {
  const ivs = new Uint8Array(count * IV_BYTES);
  for (let sector = 0; sector < count; sector++) write(new DataView(ivs.buffer, sector * IV_BYTES, IV_BYTES), sector);
  return ivs;
}

function encryptIvs(key: Uint8Array, ivs: Uint8Array): Uint8Array {
  return runtimeCrypto()
    .createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    .setAutoPadding(false)
    .update(ivs);
}

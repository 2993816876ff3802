import type { CipherSpec } from "../crypto/cipher.ts";
import { findHash } from "../crypto/hash.ts";
import { runtimeCrypto } from "../crypto/runtime-crypto.ts";
import { wipe } from "../crypto/secret.ts";
import { SECTOR_BYTES } from "../formats/luks/header.ts";

/** The cipher for which IVs are made. */
export interface IvCipher {
  /** Bytes of each IV. */
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

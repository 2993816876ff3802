import { BootError } from "../errors.ts";
import { findHash } from "./hash.ts";
import type { Kdf, Pbkdf2 } from "./header.ts";
import { runtimeCrypto } from "./runtime-crypto.ts";

/**
 * `length` bytes from a passphrase; the caller wipes them. Throws BootError for a KDF that it does not know. Another one may
 * be given to `unlock`: libargon2 with a thread for each lane, say.
 */
export type DeriveKey = (kdf: Kdf, passphrase: Uint8Array, length: number) => Uint8Array;

/** By node:crypto: PBKDF2 as fast as can be, Argon2 on one thread. */
export const deriveKey: DeriveKey = (kdf, passphrase, length) => {
  if (kdf.type === "unknown") throw new BootError(`key derivation ${kdf.name} is not supported`);
  if (kdf.type === "pbkdf2") return derivePbkdf2(kdf, passphrase, length);
  return runtimeCrypto().argon2Sync(kdf.type, {
    message: passphrase,
    nonce: kdf.salt,
    parallelism: kdf.lanes,
    memory: kdf.memoryKib,
    passes: kdf.passes,
    tagLength: length,
  });
};

/** `length` bytes by PBKDF2 (RFC 8018, 5.2). Throws BootError where the runtime does not have the hash. */
export function derivePbkdf2(kdf: Pbkdf2, passphrase: Uint8Array, length: number): Uint8Array {
  const hash = findHash(kdf.hash);
  if (hash === null) throw new BootError(`hash ${kdf.hash} is not supported`);
  return runtimeCrypto().pbkdf2Sync(passphrase, kdf.salt, kdf.iterations, length, hash.name);
}

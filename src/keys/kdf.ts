import { createFindHash, findHash } from "../crypto/hash.ts";
import { runtimeCrypto } from "../crypto/runtime-crypto.ts";
import type { Argon2, Kdf, Pbkdf2 } from "../formats/luks/header.ts";
import type { KeyDerivation, LibraryHashes } from "../machine/encryption.ts";
import type { Files } from "../machine/machine.ts";
import { readAvailableMemory } from "../machine/small-files.ts";
import { type BootError, isErrno } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { composePbkdf2 } from "./pbkdf2.ts";

/** Derives `length` bytes from a passphrase; the caller wipes them. Throws BootError for an unknown KDF. */
export type DeriveKey = (kdf: Kdf, passphrase: Uint8Array, length: number) => Uint8Array;

/** The part of a machine that derives keys. */
export type DerivingMachine = KeyDerivation & LibraryHashes & Pick<Files, "stat" | "readFile">;

/**
 * Derives by PBKDF2 with node:crypto, which is faster than OpenSSL's, and by Argon2 with the machine, which has a thread for each
 * lane, or else node:crypto. Throws BootError if there is not enough memory for Argon2.
 */
export function createDeriveKey(machine: DerivingMachine): DeriveKey {
  const find = createFindHash(machine);
  return (kdf, passphrase, length) => {
    if (kdf.type === "pbkdf2") return derivePbkdf2(kdf, passphrase, length, find);
    if (kdf.type !== "argon2i" && kdf.type !== "argon2id") return deriveKey(kdf, passphrase, length);
    try {
      return machine.deriveArgon2(kdf, passphrase, length) ?? deriveKey(kdf, passphrase, length);
    } catch (cause) {
      throw isErrno(cause, "ENOMEM") ? notEnoughMemory(kdf, machine, cause) : cause;
    }
  };
}

function notEnoughMemory({ type, memoryKib }: Argon2, machine: DerivingMachine, cause: unknown): BootError {
  const availableBytes = readAvailableMemory(machine);
  return problem("kdf-needs-memory", { kdf: type, neededBytes: memoryKib * 1024, availableBytes }, { cause });
}

/** Derives with node:crypto alone: Argon2 has one thread, whatever its lanes. */
export const deriveKey: DeriveKey = (kdf, passphrase, length) => {
  if (kdf.type === "unknown") throw problem("kdf-unsupported", { kdf: kdf.name });
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

/** Derives `length` bytes by PBKDF2 (RFC 8018, 5.2). Throws BootError if `find` does not know the hash. */
export function derivePbkdf2(kdf: Pbkdf2, passphrase: Uint8Array, length: number, find = findHash): Uint8Array {
  const hash = find(kdf.hash);
  if (hash === null) throw problem("hash-unsupported", { hash: kdf.hash });
  if (hash.library) return composePbkdf2(hash.library, kdf, passphrase, length);
  return runtimeCrypto().pbkdf2Sync(passphrase, kdf.salt, kdf.iterations, length, hash.name);
}

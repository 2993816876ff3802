import { createFindHash, findHash } from "../crypto/hash.ts";
import { runtimeCrypto } from "../crypto/runtime-crypto.ts";
import { formatBytes } from "../crypto/size.ts";
import type { Argon2, Kdf, Pbkdf2 } from "../formats/luks/header.ts";
import type { KeyDerivation, LibraryHashes } from "../machine/encryption.ts";
import type { Files } from "../machine/machine.ts";
import { readAvailableMemory } from "../machine/small-files.ts";
import { BootError, isErrno } from "../problems/errors.ts";
import { composePbkdf2 } from "./pbkdf2.ts";

/** `length` bytes from a passphrase; the caller wipes them. Throws BootError for a KDF that it does not know. */
export type DeriveKey = (kdf: Kdf, passphrase: Uint8Array, length: number) => Uint8Array;

/** What a machine must be able to do to derive keys as fast as it can. */
export type DerivingMachine = KeyDerivation & LibraryHashes & Pick<Files, "stat" | "readFile">;

/**
 * PBKDF2 by node:crypto, which is faster than OpenSSL's; Argon2 by the machine, with a thread for each lane, and by node:crypto
 * where it cannot. Throws BootError where the memory that Argon2 wants is not there.
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
  const available = readAvailableMemory(machine);
  const rest = available === null ? "" : `, this machine has ${formatBytes(available)}`;
  return new BootError(`the key derivation ${type} needs ${formatBytes(memoryKib * 1024)} of memory${rest}`, {
    cause,
    hint: "unlock it on a machine with more memory, and add a key there: cryptsetup luksAddKey --pbkdf-memory",
  });
}

/** By node:crypto alone: Argon2 takes one thread, whatever its lanes. */
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

/** `length` bytes by PBKDF2 (RFC 8018, 5.2). Throws BootError where `find` does not know the hash. */
export function derivePbkdf2(kdf: Pbkdf2, passphrase: Uint8Array, length: number, find = findHash): Uint8Array {
  const hash = find(kdf.hash);
  if (hash === null) throw new BootError(`hash ${kdf.hash} is not supported`);
  if (hash.library) return composePbkdf2(hash.library, kdf, passphrase, length);
  return runtimeCrypto().pbkdf2Sync(passphrase, kdf.salt, kdf.iterations, length, hash.name);
}

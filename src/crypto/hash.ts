import type { LibraryHash, LibraryHashes } from "../machine/encryption.ts";
import { secretBytes } from "./secret.ts";

/** An available hash. */
export interface Hash {
  /** Name in node:crypto, if that has it. */
  readonly name: string;
  readonly bytes: number;
  /** Its library, if node:crypto does not have it. */
  readonly library?: LibraryHash;
}

/** Finds a hash by its name in a LUKS header, or null. */
export type FindHash = (name: string) => Hash | null;

// By libcryptsetup's names. A library has Whirlpool and BLAKE2s; SM3 and Streebog are missing.
const HASHES: Readonly<Record<string, Hash>> = {
  sha1: { name: "sha1", bytes: 20 },
  sha224: { name: "sha224", bytes: 28 },
  sha256: { name: "sha256", bytes: 32 },
  sha384: { name: "sha384", bytes: 48 },
  sha512: { name: "sha512", bytes: 64 },
  ripemd160: { name: "ripemd160", bytes: 20 },
  rmd160: { name: "ripemd160", bytes: 20 },
  "sha3-224": { name: "sha3-224", bytes: 28 },
  "sha3-256": { name: "sha3-256", bytes: 32 },
  "sha3-384": { name: "sha3-384", bytes: 48 },
  "sha3-512": { name: "sha3-512", bytes: 64 },
  "blake2b-512": { name: "blake2b512", bytes: 64 },
};

/** Finds the hashes of the runtime. */
export const findHash: FindHash = (name) => {
  const key = name.toLowerCase();
  return Object.hasOwn(HASHES, key) ? (HASHES[key] ?? null) : null;
};

/** Finds the hashes of the runtime and those for which the machine has a library. */
export function createFindHash(machine: LibraryHashes): FindHash {
  return (name) => {
    const own = findHash(name);
    if (own !== null) return own;
    const library = machine.findLibraryHash(name.toLowerCase());
    return library && { name, bytes: library.digestBytes, library };
  };
}

/** Returns the digest of `message`; the caller wipes both. */
export function hashBytes(hash: Hash, message: Uint8Array): Uint8Array {
  const digest = secretBytes(hash.bytes);
  hashInto(hash, message, digest);
  return digest;
}

/** Writes the digest of `message` to `digest`, which is as long, and may be a part of `message`. */
export function hashInto({ name, library }: Hash, message: Uint8Array, digest: Uint8Array): void {
  if (library) library.hash(message, digest);
  // Not node:crypto, which costs a boot 30 ms that hashes nothing but a few blocks.
  else Bun.CryptoHasher.hash(name as Bun.SupportedCryptoAlgorithms, message, digest);
}

/** A hash that the runtime has. */
export interface Hash {
  /** As node:crypto calls it. */
  readonly name: string;
  readonly bytes: number;
}

// By libcryptsetup's names. Whirlpool, BLAKE2, SM3 and Streebog are missing: the runtime has no synchronous one.
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
};

/** The hash of that name in a LUKS header, or null where the runtime has none. */
export function findHash(name: string): Hash | null {
  const key = name.toLowerCase();
  return Object.hasOwn(HASHES, key) ? (HASHES[key] ?? null) : null;
}

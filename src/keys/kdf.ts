import { createFindHash, type FindHash, findHash, hashBytes } from "../crypto/hash.ts";
import { runtimeCrypto, secretBytes, wipe } from "../crypto/secret.ts";
import type { Argon2, Kdf, Pbkdf2 } from "../formats/luks/header.ts";
import type { KeyDerivation, LibraryHash, LibraryHashes } from "../machine/encryption.ts";
import type { Files } from "../machine/machine.ts";
import { readAvailableMemory, readTotalMemory } from "../machine/small-files.ts";
import { type BootError, isErrno } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";

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
  const totalBytes = readTotalMemory(machine);
  return problem(
    "kdf-needs-memory",
    { kdf: type, neededBytes: memoryKib * 1024, availableBytes, totalBytes },
    { cause },
  );
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
function derivePbkdf2(kdf: Pbkdf2, passphrase: Uint8Array, length: number, find = findHash): Uint8Array {
  const hash = find(kdf.hash);
  if (hash === null) throw problem("hash-unsupported", { hash: kdf.hash });
  if (hash.library) return composePbkdf2(hash.library, kdf, passphrase, length);
  return runtimeCrypto().pbkdf2Sync(passphrase, kdf.salt, kdf.iterations, length, hash.name);
}

// RFC 2104, 2.
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * PBKDF2 (RFC 8018, 5.2) with HMAC (RFC 2104) for a hash that no library offers it with: two hashes an iteration, which write
 * into each other's message without new arrays. The caller wipes the key.
 */
export function composePbkdf2(
  library: LibraryHash,
  { salt, iterations }: Pick<Pbkdf2, "salt" | "iterations">,
  passphrase: Uint8Array,
  length: number,
): Uint8Array {
  const { digestBytes, blockBytes } = library;
  const pads = makePads(library, passphrase);
  const inner = pads.inner.subarray(blockBytes);
  const outer = pads.outer.subarray(blockBytes);
  const sum = secretBytes(digestBytes);
  const key = secretBytes(length);
  try {
    for (let at = 0, number = 1; at < length; at += digestBytes, number++) {
      const first = firstMessage(pads.inner.subarray(0, blockBytes), salt, number);
      library.hash(first, outer);
      wipe(first, sum);
      library.hash(pads.outer, inner);
      addTo(sum, inner);
      for (let count = 1; count < iterations; count++) {
        library.hash(pads.inner, outer);
        library.hash(pads.outer, inner);
        addTo(sum, inner);
      }
      key.set(sum.subarray(0, length - at), at);
    }
    return key;
  } finally {
    wipe(pads.inner, pads.outer, sum);
  }
}

/** Makes the two messages of HMAC: a block made of the passphrase, and room for a digest. */
function makePads({ hash, digestBytes, blockBytes }: LibraryHash, passphrase: Uint8Array) {
  const block = secretBytes(blockBytes);
  if (passphrase.length > blockBytes) hash(passphrase, block.subarray(0, digestBytes));
  else block.set(passphrase);
  const pad = (byte: number) => {
    const message = secretBytes(blockBytes + digestBytes);
    for (let at = 0; at < blockBytes; at++) message[at] = (block[at] ?? 0) ^ byte;
    return message;
  };
  const pads = { inner: pad(INNER_PAD), outer: pad(OUTER_PAD) };
  wipe(block);
  return pads;
}

function firstMessage(pad: Uint8Array, salt: Uint8Array, number: number): Uint8Array {
  const message = secretBytes(pad.length + salt.length + 4);
  message.set(pad);
  message.set(salt, pad.length);
  new DataView(message.buffer).setUint32(pad.length + salt.length, number);
  return message;
}

function addTo(sum: Uint8Array, digest: Uint8Array): void {
  for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) ^ (digest[at] ?? 0);
}

const LETTER_A = 0x41;

/**
 * Makes the key of plain dm-crypt from a passphrase, as libcryptsetup's crypt_plain.c does: `hash` is "ripemd160", "sha256:32" if
 * zeros follow that many bytes, or "plain" for the passphrase unchanged. Returns null if a "plain" passphrase is too short; the
 * caller wipes the key. Throws BootError for a hash that `find` does not know.
 */
export function hashPlainKey(
  hash: string,
  passphrase: Uint8Array,
  keyBytes: number,
  find = findHash,
): Uint8Array | null {
  const [, name = "", length = null] = /^([^:]+)(?::(\d{1,5}))?$/.exec(hash) ?? [];
  const hashed = length === null ? keyBytes : Number(length);
  if (name === "" || hashed > keyBytes) throw problem("plain-hash-too-long", { hash, keyBytes });
  const key = secretBytes(keyBytes);
  if (name !== "plain") fillByHash(name, passphrase, key.subarray(0, hashed), find);
  else if (passphrase.length < hashed) return null;
  else key.set(passphrase.subarray(0, hashed));
  return key;
}

/** Fills the key with digests of the passphrase after no "A", one "A", two, … (as hashalot did). */
function fillByHash(name: string, passphrase: Uint8Array, key: Uint8Array, find: FindHash): void {
  const hash = find(name);
  if (hash === null) throw problem("hash-unsupported", { hash: name });
  for (let round = 0, at = 0; at < key.length; round++, at += hash.bytes) {
    const message = secretBytes(round + passphrase.length).fill(LETTER_A, 0, round);
    message.set(passphrase, round);
    const digest = hashBytes(hash, message);
    try {
      key.set(digest.subarray(0, key.length - at), at);
    } finally {
      wipe(message, digest);
    }
  }
}

import { type FindHash, findHash, hashBytes } from "../crypto/hash.ts";
import { secretBytes, wipe } from "../crypto/secret.ts";
import { problem } from "../problems/problem.ts";

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

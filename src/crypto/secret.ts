import type * as Crypto from "node:crypto";

/** Returns node:crypto when it is needed: a static import costs every boot 30 ms, even without a volume to unlock. */
export function runtimeCrypto(): typeof Crypto {
  return process.getBuiltinModule("node:crypto");
}

/**
 * Allocates bytes for a secret. The runtime stores the bytes of a small array inside the object, and moves them when its ArrayBuffer
 * is used (by `subarray`): that leaves a copy that is never wiped. An array that is made from an ArrayBuffer does not move.
 */
export function secretBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** Overwrites secrets; for a `finally`. Copies inside a cipher or hash of the runtime are out of reach. */
export function wipe(...secrets: readonly (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** Compares in a time that does not depend on where they differ. */
export function equalSecrets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && runtimeCrypto().timingSafeEqual(one, other);
}

/** Returns a secret as hexadecimal digits, the caller's to wipe too: a string could not be wiped. */
export function hexDigits(key: Uint8Array): Uint8Array {
  const digits = secretBytes(key.length * 2);
  const digit = (value: number) => value + (value < 10 ? 0x30 : 0x57);
  for (const [index, byte] of key.entries()) digits.set([digit(byte >>> 4), digit(byte & 15)], index * 2);
  return digits;
}

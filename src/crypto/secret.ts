import { runtimeCrypto } from "./runtime-crypto.ts";

/**
 * Room for a secret. The runtime keeps the bytes of a small array beside the object, and moves them as soon as somebody asks for its
 * ArrayBuffer (`subarray` does), leaving a copy behind that nobody wipes: not so where the array was made from one.
 */
export function secretBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** Overwrites what was secret; for a `finally`. The runtime's own copies inside a cipher or hash are out of reach. */
export function wipe(...secrets: readonly (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** Compares in a time that does not depend on where they differ. */
export function equalSecrets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && runtimeCrypto().timingSafeEqual(one, other);
}

import { runtimeCrypto } from "./runtime-crypto.ts";

/** Overwrites what was secret; for a `finally`. The runtime's own copies inside a cipher or hash are out of reach. */
export function wipe(...secrets: readonly (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** Compares in a time that does not depend on where they differ. */
export function equalSecrets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && runtimeCrypto().timingSafeEqual(one, other);
}

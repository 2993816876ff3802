import { parseCipher } from "../crypto/cipher.ts";
import { STRIPES } from "../formats/luks/header.ts";
import { mergeStripes } from "./anti-forensic.ts";
import { aesDecryptor } from "./area-decryptor.ts";

/** Of the usual key: AES-256 in XTS. */
const KEY_BYTES = 64;
/** So that the runtime compiles every loop before Enter, not after it. */
const ROUNDS = 2;

/**
 * Unlocks a keyslot of zeros, without a derivation, for the time in which a prompt waits: the runtime loads node:crypto, unpacks its
 * own code and compiles ours. Measured by icount, 0.2 s of what otherwise follows Enter; on a real machine it takes 50 ms.
 */
export function rehearseUnlock(): void {
  const spec = parseCipher("aes-xts-plain64");
  if (spec === null) return;
  for (let round = 0; round < ROUNDS; round++) {
    const split = aesDecryptor.decrypt(spec, new Uint8Array(KEY_BYTES), new Uint8Array(KEY_BYTES * STRIPES));
    mergeStripes(split, KEY_BYTES, STRIPES, "sha256");
  }
}

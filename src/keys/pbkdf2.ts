import { secretBytes, wipe } from "../crypto/secret.ts";
import type { Pbkdf2 } from "../formats/luks/header.ts";
import type { LibraryHash } from "../machine/encryption.ts";

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

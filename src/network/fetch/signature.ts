import type { KeyObject } from "node:crypto";
import { runtimeCrypto } from "../../crypto/secret.ts";
import type { Files } from "../../machine/machine.ts";
import { problem } from "../../problems/problem.ts";

/** What was signed: its URL, and the Ed25519 key in the image, as `openssl pkey -pubout` writes it. */
export interface Signed {
  readonly url: string;
  readonly key: string;
}

/** Throws BootError if the signature was not made with the key, or the key cannot be read. */
export function requireSignature(
  machine: Pick<Files, "stat" | "readFile">,
  { url, key }: Signed,
  bytes: Uint8Array,
  signature: Uint8Array,
): void {
  if (runtimeCrypto().verify(null, bytes, readKey(machine, { url, key }), signature)) return;
  throw problem("download-signature-wrong", { url, key });
}

function readKey(machine: Pick<Files, "stat" | "readFile">, { url, key }: Signed): KeyObject {
  if (machine.stat(key) !== null) {
    const text = Buffer.from(machine.readFile(key));
    try {
      const found = runtimeCrypto().createPublicKey(text);
      if (found.asymmetricKeyType === "ed25519") return found;
    } catch {
      // What OpenSSL throws ("NO_START_LINE") says no more than that.
    }
  }
  throw problem("signature-key-unreadable", { url, key });
}

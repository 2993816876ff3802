import { runtimeCrypto } from "../../crypto/secret.ts";
import type { ImageDigest } from "../../parameters/checks.ts";
import type { StreamCheck } from "./stream-check.ts";

/** Returns a check that always matches, and the digest of what it has seen; null if a user has skipped the reading. */
export function recordDigest(): { readonly check: StreamCheck; readonly digest: () => ImageDigest | null } {
  const hash = runtimeCrypto().createHash("sha256");
  let hex: string | null = null;
  return {
    check: {
      what: "its own content",
      canSkip: true,
      update: (part) => void hash.update(part),
      finish() {
        hex = hash.digest("hex");
        return null;
      },
    },
    digest: () => (hex === null ? null : { algorithm: "sha256", hex }),
  };
}

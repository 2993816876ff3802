import type * as Crypto from "node:crypto";

/** Returns node:crypto when it is needed: a static import costs every boot 30 ms, even without a volume to unlock. */
export function runtimeCrypto(): typeof Crypto {
  return process.getBuiltinModule("node:crypto");
}

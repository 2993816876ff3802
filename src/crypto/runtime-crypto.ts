import type * as Crypto from "node:crypto";

/** node:crypto, for the function that needs it: a static import costs every boot 30 ms, also one that has nothing to unlock. */
export function runtimeCrypto(): typeof Crypto {
  return process.getBuiltinModule("node:crypto");
}

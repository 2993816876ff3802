import { deriveKey } from "../../src/keys/kdf.ts";
import { formatPasswordHash } from "../../src/keys/shell-password.ts";
import type { FakeTree } from "./fake-files.ts";

const KDF = { type: "argon2id", memoryKib: 64, passes: 1, lanes: 1, salt: Buffer.from("saltsalt") } as const;

export const SHELL_PASSWORD = "geheim";
/** Its hash, cheap to check. */
export const SHELL_PASSWORD_HASH = formatPasswordHash({
  kdf: KDF,
  digest: deriveKey(KDF, Buffer.from(SHELL_PASSWORD), 32),
});

/** What `levain image` writes for an image with this parameter. */
export function lockedBy(lock: "rdshell=0" | "rdshell=ask"): FakeTree {
  const password = { "/etc/levain.password": { data: `${SHELL_PASSWORD_HASH}\n`, mode: 0o600 } };
  return {
    "/etc/levain.json": JSON.stringify({ version: 1, kernel: null, parameters: [lock] }),
    "/etc/levain.cmdline": `${lock}\n`,
    ...(lock === "rdshell=ask" ? password : {}),
  };
}

import { wipe } from "../../crypto/secret.ts";
import { createDeriveKey, type DerivingMachine } from "../../keys/kdf.ts";
import { formatPasswordHash, type PasswordHash } from "../../keys/shell-password.ts";
import type { CommandWords } from "../command-line.ts";
import { askNewSecret, type NewSecret, readNewSecret } from "../usb/disk/ask.ts";
import type { ImageOptions } from "./options.ts";

const PASSWORD: NewSecret = { noun: "password", of: "the rescue shell", option: "shell-password-file" };
/** As much memory as a boot has that failed on a small machine; four passes make up for it. One lane: a boot may have one CPU. */
const COST = { type: "argon2id", memoryKib: 32_768, passes: 4, lanes: 1 } as const;
const [SALT_BYTES, DIGEST_BYTES] = [16, 32];

/** Returns the password that the command line asks for or names a file with, as a hash; nothing if it does neither. Throws BootError. */
export async function chooseShellPassword(
  line: CommandWords,
  machine: DerivingMachine,
): Promise<Pick<ImageOptions, "shellPassword"> | null> {
  const file = line.one("shell-password-file");
  if (file === null && !line.has("shell-password")) return null;
  const password =
    file === null ? await askNewSecret(PASSWORD) : readNewSecret(file === "-" ? "/proc/self/fd/0" : file, PASSWORD);
  try {
    return { shellPassword: formatPasswordHash(hashPassword(password, machine)) };
  } finally {
    wipe(password);
  }
}

function hashPassword(password: Uint8Array, machine: DerivingMachine): PasswordHash {
  const kdf = { ...COST, salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)) };
  return { kdf, digest: createDeriveKey(machine)(kdf, password, DIGEST_BYTES) };
}

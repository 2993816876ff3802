import { argon2Sync } from "node:crypto";
import type { KeyDerivation, LibraryHashes } from "../../src/machine/encryption.ts";
import { SyscallError } from "../../src/problems/errors.ts";

/** RFC 9106, 3.1, and what libargon2 makes of it. */
const MIN_SALT_BYTES = 8;
const MIN_KIB_PER_LANE = 8;
const MEMORY_KIB = 4 << 20;

/** Argon2 by the runtime, on one thread; the fake machine has 4 GiB for it. */
export const fakeKeyDerivation: KeyDerivation = {
  deriveArgon2({ type, passes, memoryKib, lanes, salt }, passphrase, length) {
    if (salt.length < MIN_SALT_BYTES || memoryKib < lanes * MIN_KIB_PER_LANE || passes < 1)
      throw new SyscallError(type, "EINVAL", "its parameters");
    if (memoryKib > MEMORY_KIB) throw new SyscallError(type, "ENOMEM", `${memoryKib} KiB`);
    const parameters = { memory: memoryKib, passes, parallelism: lanes, tagLength: length };
    return new Uint8Array(argon2Sync(type, { message: passphrase, nonce: salt, ...parameters }));
  },
};

/** Of a machine without the library. */
export const fakeLibraryHashes: LibraryHashes = { findLibraryHash: () => null };

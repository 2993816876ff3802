import { dlopen } from "bun:ffi";
import * as fs from "node:fs";
import { join } from "node:path";
import { SyscallError } from "../errors.ts";
import type { KeyDerivation } from "./encryption.ts";
import { openMemoryFile } from "./linux-memory-file.ts";

const NAME = "libargon2.so.1";
/** Where the build puts it, beside the program's own module; a program that runs from its sources takes the system's. */
const PACKED = join(import.meta.dir, "libraries", NAME);

/** argon2.h, enum Argon2_ErrorCodes. */
const ARGON2_OK = 0;
const ARGON2_MEMORY_ALLOCATION_ERROR = -22;
const ARGON2_THREAD_FAIL = -33;

type Calls = ReturnType<typeof bindCalls>;

const opened: { calls: Calls | null } = { calls: null };

/**
 * By the reference implementation, the one that cryptsetup uses: a thread for each lane, and the memory is overwritten before it
 * is given back (FLAG_clear_internal_memory, which is set). It is loaded when the first key is derived.
 */
export const keyDerivation: KeyDerivation = {
  deriveArgon2({ type, passes, memoryKib, lanes, salt }, passphrase, length) {
    opened.calls ??= openCalls();
    if (opened.calls === null) return null;
    const derive = type === "argon2id" ? opened.calls.argon2id_hash_raw : opened.calls.argon2i_hash_raw;
    const key = new Uint8Array(length);
    const result = derive(passes, memoryKib, lanes, passphrase, passphrase.length, salt, salt.length, key, length);
    if (result === ARGON2_OK) return key;
    if (result === ARGON2_THREAD_FAIL) return null;
    const code = result === ARGON2_MEMORY_ALLOCATION_ERROR ? "ENOMEM" : "EINVAL";
    throw new SyscallError(type, code, `${passes} passes over ${memoryKib} KiB in ${lanes} lanes (error ${result})`);
  },
};

/** null where neither we nor the system have the library, or it does not fit to the C library: no reason to fail, only slower. */
function openCalls(): Calls | null {
  try {
    return fs.existsSync(PACKED) ? bindPackedCalls() : bindCalls(NAME);
  } catch {
    return null;
  }
}

/** The loader wants a file: it gets one in memory, for an initramfs need not have a place to write one, and a desk shall not keep it. */
function bindPackedCalls(): Calls {
  const fd = openMemoryFile(NAME);
  try {
    fs.writeFileSync(fd, fs.readFileSync(PACKED));
    return bindCalls(`/proc/self/fd/${fd}`);
  } finally {
    fs.closeSync(fd);
  }
}

/** argon2.h: t_cost, m_cost, parallelism, pwd, pwdlen, salt, saltlen, hash, hashlen. */
function bindCalls(path: string) {
  const call = { args: ["u32", "u32", "u32", "ptr", "u64", "ptr", "u64", "ptr", "u64"], returns: "i32" } as const;
  return dlopen(path, { argon2i_hash_raw: call, argon2id_hash_raw: call }).symbols;
}

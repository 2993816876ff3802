import { dlopen } from "bun:ffi";
import { SyscallError } from "../../../problems/errors.ts";
import type { KeyDerivation } from "../../encryption.ts";
import { IS_PACKED, provideLibrary } from "./library.ts";

const NAME = "libargon2.so.1";
/** glibc loads this library by name when a thread ends by pthread_exit(3), as libargon2's threads do, and aborts without it. */
const UNWINDER = "libgcc_s.so.1";

/** argon2.h, enum Argon2_ErrorCodes. */
const ARGON2_OK = 0;
const ARGON2_MEMORY_ALLOCATION_ERROR = -22;
const ARGON2_THREAD_FAIL = -33;

type Calls = ReturnType<typeof bindCalls>;

const opened: { calls?: Calls | null } = {};

/**
 * Implements Argon2 by the reference implementation, which cryptsetup uses: a thread for each lane, and the memory is overwritten
 * before it is freed (FLAG_clear_internal_memory, which is set). The library is loaded when the first key is derived.
 */
export const keyDerivation: KeyDerivation = {
  deriveArgon2({ type, passes, memoryKib, lanes, salt }, passphrase, length) {
    if (opened.calls === undefined) opened.calls = openCalls();
    if (opened.calls === null) return null;
    const derive = type === "argon2id" ? opened.calls.argon2id_hash_raw : opened.calls.argon2i_hash_raw;
    // With its own ArrayBuffer: otherwise the runtime moves it at the first `subarray`, and leaves a copy that is never wiped.
    const key = new Uint8Array(new ArrayBuffer(length));
    const result = derive(passes, memoryKib, lanes, passphrase, passphrase.length, salt, salt.length, key, length);
    if (result === ARGON2_OK) return key;
    if (result === ARGON2_THREAD_FAIL) return null;
    const code = result === ARGON2_MEMORY_ALLOCATION_ERROR ? "ENOMEM" : "EINVAL";
    throw new SyscallError(type, code, `${passes} passes over ${memoryKib} KiB in ${lanes} lanes (error ${result})`);
  },
};

/** null if the library is missing, or does not match the C library: derivation only takes longer then. */
function openCalls(): Calls | null {
  try {
    // Loaded here, never called: glibc finds a library that is already loaded. The system's own needs no help.
    if (IS_PACKED) dlopen(provideLibrary(UNWINDER), { _Unwind_Resume: { args: ["ptr"], returns: "void" } });
    return bindCalls(provideLibrary(NAME));
  } catch {
    return null;
  }
}

/** argon2.h: t_cost, m_cost, parallelism, pwd, pwdlen, salt, saltlen, hash, hashlen. */
function bindCalls(path: string) {
  const call = { args: ["u32", "u32", "u32", "ptr", "u64", "ptr", "u64", "ptr", "u64"], returns: "i32" } as const;
  return dlopen(path, { argon2i_hash_raw: call, argon2id_hash_raw: call }).symbols;
}

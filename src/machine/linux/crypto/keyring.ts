import { KEY_SPEC_THREAD_KEYRING, KEYCTL_UNLINK } from "../../abi-crypt.ts";
import type { KernelKeys } from "../../encryption.ts";
import { systemCall } from "../libc.ts";

/**
 * Keys in the keyring of this thread, which is made with the first of them and goes with the thread (thread-keyring(7)). A
 * table that names such a key must be loaded on the same thread.
 */
export const kernelKeys: KernelKeys = {
  addLogonKey: (description, payload) =>
    systemCall("add_key", description, "logon", description, payload, payload.length, KEY_SPEC_THREAD_KEYRING),
  removeKey: (id) => void systemCall("keyctl", `key ${id}`, KEYCTL_UNLINK, id, KEY_SPEC_THREAD_KEYRING),
};

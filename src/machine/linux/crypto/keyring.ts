import { KEY_SPEC_THREAD_KEYRING, KEYCTL_UNLINK } from "../../abi-crypt.ts";
import type { KernelKeys } from "../../encryption.ts";
import { systemCall } from "../libc.ts";

/**
 * Implements keys in the keyring of this thread, which exists from the first key to the end of the thread (thread-keyring(7)). A
 * table that names such a key must be loaded by the same thread.
 */
export const kernelKeys: KernelKeys = {
  addLogonKey: (description, payload) =>
    systemCall("add_key", description, "logon", description, payload, payload.length, KEY_SPEC_THREAD_KEYRING),
  removeKey: (id) => void systemCall("keyctl", `key ${id}`, KEYCTL_UNLINK, id, KEY_SPEC_THREAD_KEYRING),
};

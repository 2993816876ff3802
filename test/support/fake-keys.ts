import type { KernelKeys } from "../../src/machine/encryption.ts";
import { SyscallError } from "../../src/problems/errors.ts";

/** security/keys/user_defined.c */
const MAX_PAYLOAD_BYTES = 32767;

export class FakeKeys implements KernelKeys {
  readonly #keys = new Map<number, { readonly description: string; readonly payload: Uint8Array }>();
  #last = 1000;

  /** One of the same description is updated. */
  addLogonKey = (description: string, payload: Uint8Array): number => {
    if (!(description.indexOf(":") > 0)) throw new SyscallError("add_key", "EINVAL", description);
    return this.addUserKey(description, payload);
  };

  /** The two types share their descriptions here. */
  addUserKey = (description: string, payload: Uint8Array): number => {
    if (description.includes("\0") || payload.length === 0 || payload.length > MAX_PAYLOAD_BYTES)
      throw new SyscallError("add_key", "EINVAL", description);
    const known = [...this.#keys].find(([, key]) => key.description === description)?.[0];
    const id = known ?? ++this.#last;
    this.#keys.set(id, { description, payload: Uint8Array.from(payload) });
    return id;
  };

  /** That a key is known but in no keyring is not told apart: here it is gone with its keyring. */
  removeKey = (id: number): void => {
    if (!this.#keys.delete(id)) throw new SyscallError("keyctl", "ENOKEY", `key ${id}`);
  };

  /** The payload of the key that a table names; undefined where there is none. */
  payloadOf(description: string): Uint8Array | undefined {
    return [...this.#keys.values()].find((key) => key.description === description)?.payload;
  }

  get descriptions(): readonly string[] {
    return [...this.#keys.values()].map(({ description }) => description);
  }
}

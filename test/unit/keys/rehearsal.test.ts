import { expect, spyOn, test } from "bun:test";
import crypto from "node:crypto";
import { rehearseUnlock } from "../../../src/keys/rehearsal.ts";

test("a rehearsal decrypts and merges what a usual keyslot has, with zeros, twice", () => {
  const decipher = spyOn(crypto, "createDecipheriv");
  const hash = spyOn(Bun.CryptoHasher, "hash");
  try {
    rehearseUnlock();
    const call = ["aes-256-ecb", new Uint8Array(32)];
    expect(decipher.mock.calls.map(([name, key]) => [name, key])).toEqual([call, call]);
    // Two pieces of each stripe but the first.
    expect(hash.mock.calls.length).toBe(2 * 2 * 3999);
  } finally {
    decipher.mockRestore();
    hash.mockRestore();
  }
});

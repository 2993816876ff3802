import { expect, spyOn, test } from "bun:test";
import crypto from "node:crypto";
import { rehearseUnlock } from "../../../src/keys/rehearsal.ts";

test("a rehearsal decrypts and merges what a usual keyslot has, with zeros", () => {
  const decipher = spyOn(crypto, "createDecipheriv");
  const hash = spyOn(Bun.CryptoHasher, "hash");
  try {
    rehearseUnlock();
    expect(decipher.mock.calls.map(([name, key]) => [name, key])).toEqual([["aes-256-ecb", new Uint8Array(32)]]);
    // Two pieces of each stripe but the first.
    expect(hash.mock.calls.length).toBe(2 * 3999);
  } finally {
    decipher.mockRestore();
    hash.mockRestore();
  }
});

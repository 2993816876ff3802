import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { hashPlainKey } from "../../../src/keys/kdf.ts";

const hex = (key: Uint8Array | null) => (key === null ? null : Buffer.from(key).toString("hex"));
const digest = (hash: string, text: string) => createHash(hash).update(text).digest("hex");
const key = (hash: string, text: string, bytes: number) => hex(hashPlainKey(hash, Buffer.from(text), bytes));

describe("the key of a plain volume", () => {
  test("is the beginning of the digest of the passphrase", () => {
    expect(key("sha256", "pass", 32)).toBe(digest("sha256", "pass"));
    expect(key("sha512", "pass", 16)).toBe(digest("sha512", "pass").slice(0, 32));
    expect(key("ripemd160", "", 20)).toBe(digest("ripemd160", ""));
  });

  test("continues with digests after A, AA, … if one is too short", () => {
    expect(key("ripemd160", "pass", 32)).toBe(
      (digest("ripemd160", "pass") + digest("ripemd160", "Apass")).slice(0, 64),
    );
    expect(key("sha1", "pass", 64)).toBe(
      ["", "A", "AA", "AAA"]
        .map((lead) => digest("sha1", `${lead}pass`))
        .join("")
        .slice(0, 128),
    );
  });

  test("has zeros after the length that follows the hash", () => {
    expect(key("sha256:16", "pass", 32)).toBe(digest("sha256", "pass").slice(0, 32) + "00".repeat(16));
    expect(key("plain:2", "pass", 4)).toBe("70610000");
  });

  test("is the passphrase itself for plain, if that is long enough", () => {
    expect(key("plain", "password", 4)).toBe("70617373");
    expect(key("plain", "pas", 4)).toBeNull();
  });

  test.each(["nothing", "sha256:33", "sha256:x", ":16", ""])("the hash %p is refused by name", (hash) => {
    expect(() => key(hash, "pass", 32)).toThrow(hash === "nothing" ? "hash nothing is not supported" : "does not fit");
  });
});

import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { findHash, hashBytes } from "../../../src/crypto/hash.ts";

const NAMES = [
  ...["sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"],
  ...["sha3-224", "sha3-256", "sha3-384", "sha3-512", "blake2b-512"],
];

test("each hash has the digest of OpenSSL's hash of that name, and its size", () => {
  for (const name of NAMES) {
    const hash = findHash(name);
    if (hash === null) throw new Error(name);
    for (const message of [new Uint8Array(), Buffer.from("abc"), new Uint8Array(4096).fill(7)]) {
      const digest = hashBytes(hash, message);
      expect([name, digest.toHex()]).toEqual([name, createHash(hash.name).update(message).digest("hex")]);
      expect(digest.length).toBe(hash.bytes);
    }
  }
});

test("a digest does not load node:crypto, which costs a boot 30 ms", async () => {
  const source = `
    const { findHash, hashBytes } = await import("${import.meta.dir}/../../../src/crypto/hash.ts");
    const get = process.getBuiltinModule;
    process.getBuiltinModule = (name) => { console.log(name); return get(name); };
    console.log(hashBytes(findHash("sha256"), new Uint8Array()).length);`;
  const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe" });
  expect(await child.stdout.text()).toBe("32\n");
});

import { describe, expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { isNullCipher, parseCipher } from "../../../src/crypto/cipher.ts";
import { decryptXts, encryptXts } from "../../../src/crypto/xts.ts";
import { mergeStripes } from "../../../src/keys/anti-forensic.ts";
import { aesDecryptor, makeIvs, nullDecryptor } from "../../../src/keys/area-decryptor.ts";
import { deriveKey } from "../../../src/keys/kdf.ts";
import { whatItSays } from "../../support/luks/sources.ts";
import { splitKey } from "../../support/luks/split-key.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
const text = (content: string) => new TextEncoder().encode(content);
const counting = (length: number) => Uint8Array.from({ length }, (_, index) => index);
const tweak = (text: string) => hex(text.padEnd(32, "0"));

function spec(text: string) {
  const parsed = parseCipher(text);
  if (parsed === null) throw new Error(`no cipher: ${text}`);
  return parsed;
}

const VECTOR_4 = `
  27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89cc78cf7f5e543445f8333d8fa7f56000005279fa5d8b5e4ad
  40e736ddb4d35412328063fd2aab53e5ea1e0a9f332500a5df9487d07a5c92cc512c8866c7e860ce93fdf166a24912b422976146ae20ce84
  6bb7dc9ba94a767aaef20c0d61ad02655ea92dc4c4e41a8952c651d33174be51a10c421110e6d81588ede82103a252d8a750e8768defffed
  9122810aaeb99f9172af82b604dc4b8e51bcb08235a6f4341332e4ca60482a4ba1a03b3e65008fc5da76b70bf1690db4eae29c5f1badd03c
  5ccf2a55d705ddcd86d449511ceb7ec30bf12b1fa35b913f9f747a8afd1b130e94bff94effd01a91735ca1726acd0b197c4e5b03393697e1
  26826fb6bbde8ecc1e08298516e2c9ed03ff3c1b7860f6de76d4cecd94c8119855ef5297ca67e9f3e7ff72b1e99785ca0a7e7720c5b36dc6
  d72cac9574c8cbbc2f801e23e56fd344b07f22154beba0f08ce8891e643ed995c94d9a69c9f1b5f499027a78572aeebd74d20cc39881c213
  ee770b1010e4bea718846977ae119f7a023ab58cca0ad752afe656bb3c17256a9f6e9bf19fdd5a38fc82bbe872c5539edb609ef4f79c203e
  bb140f2e583cb2ad15b4aa5b655016a8449277dbd477ef2c8d6c017db738b18deb4a427d1923ce3ff262735779a418f20a282df920147bea
  be421ee5319d0568
`.replaceAll(/\s/g, "");
const VECTOR_10 = `
  1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b5d31e276f8fe4a8d66b317f9ac683f44680a86ac35adfc33
  45befecb4bb188fd5776926c49a3095eb108fd1098baec70aaa66999a72a82f27d848b21d4a741b0c5cd4d5fff9dac89aeba122961d03a75
  7123e9870f8acf1000020887891429ca2a3e7a7d7df7b10355165c8b9a6d0a7de8b062c4500dc4cd120c0f7418dae3d0b5781c34803fa754
  21c790dfe1de1834f280d7667b327f6c8cd7557e12ac3a0f93ec05c52e0493ef31a12d3d9260f79a289d6a379bc70c50841473d1a8cc81ec
  583e9645e07b8d9670655ba5bbcfecc6dc3966380ad8fecb17b6ba02469a020a84e18e8f84252070c13e9f1f289be54fbc481457778f6160
  15e1327a02b140f1505eb309326d68378f8374595c849d84f4c333ec4423885143cb47bd71c5edae9be69a2ffeceb1bec9de244fbe15992b
  11b77c040f12bd8f6a975a44a0f90c29a9abc3d4d893927284c58754cce294529f8614dcd2aba991925fedc4ae74ffac6e333b93eb4aff04
  79da9a410e4450e0dd7ae4c6e2910900575da401fc07059f645e8b7e9bfdef33943054ff84011493c27b3429eaedb4ed5376441a77ed4385
  1ad77f16f541dfd269d50d6a5f14fb0aab1cbb4c1550be97f7ab4066193c4caa773dad38014bd2092fa755c824bb5e54c4f36ffda9fcea70
  b9c6e693e148c151
`.replaceAll(/\s/g, "");

// IEEE 1619-2007, annex B.
describe("XTS-AES", () => {
  test.each([
    [
      "vector 1",
      "00".repeat(32),
      "",
      "00".repeat(32),
      "917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e",
    ],
    [
      "vector 2",
      "11".repeat(16) + "22".repeat(16),
      "3333333333",
      "44".repeat(32),
      "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
    ],
    [
      "vector 3",
      `fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0${"22".repeat(16)}`,
      "3333333333",
      "44".repeat(32),
      "af85336b597afc1a900b2eb21ec949d292df4c047e0b21532186a5971a227a89",
    ],
    [
      "vector 4, first blocks",
      "2718281828459045235360287471352631415926535897932384626433832795",
      "",
      counting(32).toHex(),
      "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c",
    ],
    [
      "vector 4",
      "2718281828459045235360287471352631415926535897932384626433832795",
      "",
      counting(256).toHex().repeat(2),
      VECTOR_4,
    ],
    [
      "vector 10",
      "27182818284590452353602874713526624977572470936999595749669676273141592653589793238462643383279502884197169399375105820974944592",
      "ff",
      counting(256).toHex().repeat(2),
      VECTOR_10,
    ],
  ])("%s", (_name, key, dataUnit, plain, cipher) => {
    expect(decryptXts(hex(key), tweak(dataUnit), hex(cipher), cipher.length / 2).toHex()).toBe(plain);
    expect(encryptXts(hex(key), tweak(dataUnit), hex(plain), cipher.length / 2).toHex()).toBe(cipher);
  });

  test("several units, each with its own tweak", () => {
    const key = hex("11".repeat(16) + "22".repeat(16));
    const one = hex("c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0");
    const zero = decryptXts(key, tweak(""), one, 32);
    const both = decryptXts(key, Buffer.concat([tweak("3333333333"), tweak("")]), Buffer.concat([one, one]), 32);
    expect(both.toHex()).toBe("44".repeat(32) + zero.toHex());
  });
});

describe("key derivation", () => {
  // RFC 6070.
  test.each([
    ["password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"],
    ["password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"],
    [
      "passwordPASSWORDpassword",
      "saltSALTsaltSALTsaltSALTsaltSALTsalt",
      4096,
      "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
    ],
  ])("PBKDF2-HMAC-SHA1 %s %s %i", (passphrase, salt, iterations, key) => {
    const kdf = { type: "pbkdf2", hash: "sha1", iterations, salt: text(salt) } as const;
    expect(new Uint8Array(deriveKey(kdf, text(passphrase), key.length / 2)).toHex()).toBe(key);
  });

  // The reference implementation's own (phc-winner-argon2, src/test.c), version 0x13.
  test.each([
    ["argon2i", 2, 256, 1, "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f"],
    ["argon2i", 2, 256, 2, "4ff5ce2769a1d7f4c8a491df09d41a9fbe90e5eb02155a13e4c01e20cd4eab61"],
    ["argon2id", 2, 256, 1, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"],
    ["argon2id", 2, 256, 2, "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"],
    ["argon2id", 2, 65536, 1, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"],
  ] as const)("%s t=%i m=%i p=%i", (type, passes, memoryKib, lanes, key) => {
    const kdf = { type, passes, memoryKib, lanes, salt: text("somesalt") };
    expect(new Uint8Array(deriveKey(kdf, text("password"), 32)).toHex()).toBe(key);
  });

  test("unknown algorithms are named", () => {
    expect(whatItSays(() => deriveKey({ type: "unknown", name: "scrypt" }, text(""), 32))).toContain("scrypt");
    const kdf = { type: "pbkdf2", hash: "whirlpool", iterations: 1, salt: text("") } as const;
    expect(whatItSays(() => deriveKey(kdf, text(""), 32))).toContain("whirlpool");
  });
});

describe("the anti-forensic splitter", () => {
  test("a split key is merged, even if it is not a multiple of the digest", () => {
    const hash = fc.constantFrom("sha1", "sha256", "sha512", "ripemd160");
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 96 }),
        fc.integer({ min: 1, max: 12 }),
        hash,
        (key, stripes, name) => {
          const split = splitKey(key, stripes, name);
          expect(mergeStripes(split, key.length, stripes, name)).toEqual(key);
          split[0] = (split[0] ?? 0) ^ 1;
          expect(mergeStripes(split, key.length, stripes, name)).not.toEqual(key);
        },
      ),
    );
  });

  test("one stripe is the key, and two are its XOR with the first one's hash", () => {
    const first = counting(4);
    const digest = new Bun.CryptoHasher("sha256").update(hex("00000000")).update(first).digest();
    expect(mergeStripes(first, 4, 1, "sha256")).toEqual(first);
    expect(mergeStripes(Buffer.concat([first, hex("00000000")]), 4, 2, "sha256")).toEqual(
      new Uint8Array(digest.subarray(0, 4)),
    );
  });

  test("a partial result is wiped if the hash fails", () => {
    const seen: Uint8Array[] = [];
    const hash = (message: Uint8Array) => {
      seen.push(message);
      if (seen.length === 2) throw new Error("the library said no");
    };
    const find = (name: string) => ({ name, bytes: 4, library: { digestBytes: 4, blockBytes: 8, hash } });
    expect(() => mergeStripes(counting(24).fill(7), 8, 3, "any", find)).toThrow("the library said no");
    expect(seen.map((message) => message.toHex())).toEqual(["00".repeat(8), "00".repeat(8)]);
  });

  test("too little material, and an unknown hash", () => {
    expect(whatItSays(() => mergeStripes(counting(7), 4, 2, "sha256"))).toContain("too short");
    expect(whatItSays(() => mergeStripes(counting(8), 4, 2, "whirlpool"))).toContain("whirlpool");
  });
});

describe("sectors", () => {
  const key = counting(32);
  const ivOf = (cipher: string, sector: number) =>
    makeIvs(spec(cipher), key, sector + 1)
      ?.subarray(sector * 16)
      .toHex();
  const encrypt = (by: Uint8Array, block: string) =>
    new Uint8Array(createCipheriv("aes-256-ecb", by, null).update(hex(block))).toHex();

  // drivers/md/dm-crypt.c, "Different IV generation algorithms".
  test.each([
    ["aes-cbc-plain", "02010000000000000000000000000000"],
    ["aes-cbc-plain64", "02010000000000000000000000000000"],
    ["aes-cbc-plain64be", "00000000000000000000000000000102"],
    ["aes-cbc-benbi", "00000000000000000000000000002041"],
    ["aes-cbc-null", "00000000000000000000000000000000"],
    [
      "aes-cbc-essiv:sha256",
      encrypt(new Bun.CryptoHasher("sha256").update(key).digest(), "02010000000000000000000000000000"),
    ],
    ["aes-cbc-eboiv", encrypt(key, "00040200000000000000000000000000")],
  ])("the IV of %s", (cipher, iv) => {
    expect(ivOf(cipher, 0x102)).toBe(iv);
  });

  test("ciphers of the runtime, and those that are left to the kernel", () => {
    const handles = (cipher: string, bits: number) => aesDecryptor.handles(spec(cipher), bits / 8);
    expect(["aes-xts-plain64", "aes-cbc-essiv:sha256"].map((cipher) => handles(cipher, 256))).toEqual([true, true]);
    const others = [
      "serpent-xts-plain64",
      "twofish-cbc-plain",
      "aes-lrw-benbi",
      "aes-cbc-essiv:whirlpool",
      "aes-cbc-essiv:sha512",
    ];
    expect(others.filter((cipher) => handles(cipher, 256))).toEqual([]);
    expect(
      ["aes-cbc-tcw", "aes-xts-eboiv", "aes-cbc-plain:sha256", "aes-constructor-plain"].filter((cipher) =>
        handles(cipher, 256),
      ),
    ).toEqual([]);
    expect([128, 192, 256, 384, 512, 1024].filter((bits) => handles("aes-xts-plain64", bits))).toEqual([256, 384, 512]);
    expect([64, 128, 192, 256, 512].filter((bits) => handles("aes-cbc-plain", bits))).toEqual([128, 192, 256]);
    expect(nullDecryptor.handles(spec("cipher_null-ecb"), 32)).toBe(true);
    expect(nullDecryptor.handles(spec("aes-ecb"), 32)).toBe(false);
  });
});

describe("names of ciphers", () => {
  test("are parsed", () => {
    const parts = (text: string) => {
      const parsed = parseCipher(text);
      return parsed && [parsed.cipher, parsed.mode, parsed.iv, parsed.ivOption];
    };
    expect(parts("aes-cbc-essiv:sha256")).toEqual(["aes", "cbc", "essiv", "sha256"]);
    expect(parts("aes-ecb")).toEqual(["aes", "ecb", "", ""]);
    expect(parts("aes")).toEqual(["aes", "cbc", "plain", ""]);
    expect(parts("aes-plain")).toEqual(["aes", "cbc", "plain", ""]);
    expect(parts("capi:xts(aes)-plain64")).toBe(null);
    expect(parts("")).toBe(null);
  });

  test("those that do not encrypt are recognised in every form", () => {
    const nulls = [
      "cipher_null-ecb",
      "null",
      "null-ecb",
      "capi:ecb(cipher_null)-null",
      "capi:authenc(hmac(digest_null),cbc(aes))-plain",
      "capi:ecb(null)",
    ];
    expect(nulls.filter((name) => !isNullCipher(name))).toEqual([]);
    expect(["aes-xts-plain64", "aes-cbc-null", "nullify-cbc-plain"].filter(isNullCipher)).toEqual([]);
  });
});

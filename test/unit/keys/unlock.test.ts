import { describe, expect, test } from "bun:test";
import type { LuksHeader } from "../../../src/formats/luks/header.ts";
import { readLuksHeader } from "../../../src/formats/luks/read-header.ts";
import { type AreaDecryptor, aesDecryptor, nullDecryptor } from "../../../src/keys/area-decryptor.ts";
import { deriveKey } from "../../../src/keys/kdf.ts";
import { listUntried, type UnlockOptions, unlock } from "../../../src/keys/unlock.ts";
import { BASE } from "../../support/luks/base-images.ts";
import { PASSPHRASE, provideLuksImage, readImage } from "../../support/luks/cryptsetup-image.ts";
import { editJson, type Luks2Json } from "../../support/luks/luks2-edit.ts";
import { byteSource, whatItSays } from "../../support/luks/sources.ts";
import { splitKey } from "../../support/luks/split-key.ts";

const OPTIONS: UnlockOptions = {
  deriveKey,
  decryptors: [aesDecryptor],
  memoryBytes: 1 << 30,
  allowsNull: false,
  keyslot: null,
};
const luks1 = await provideLuksImage(BASE.luks1);
const luks2 = await provideLuksImage(BASE.luks2);
const keyslots = await provideLuksImage(BASE.keyslots);
const passphrase = (text = PASSPHRASE) => new TextEncoder().encode(text);
const edit = (change: (json: Luks2Json) => void): LuksHeader =>
  readLuksHeader(byteSource(editJson(readImage(luks2), change)));
const headerOf = (image: Parameters<typeof readImage>[0]) => readLuksHeader(byteSource(readImage(image)));

describe("the volume key", () => {
  test.each([
    ["LUKS1", luks1],
    ["LUKS2", luks2],
    ["LUKS2 with three KDFs", keyslots],
  ])("of %s is the one that cryptsetup tells", (_name, image) => {
    const found = unlock(headerOf(image), passphrase(), OPTIONS);
    expect(found.kind === "unlocked" ? found.volumeKey.toHex() : found.kind).toBe(image.volumeKey?.toHex() ?? "");
  });

  test("no other passphrase", () => {
    for (const wrong of ["", "Pass", "pass\n", "passx"]) {
      expect(unlock(headerOf(luks2), passphrase(wrong), OPTIONS)).toEqual({ kind: "wrong-passphrase" });
    }
  });

  test("a digest that does not match is a wrong passphrase", () => {
    const header = edit((json) => (json.digests[0].digest = Buffer.alloc(32, 1).toString("base64")));
    expect(unlock(header, passphrase(), OPTIONS)).toEqual({ kind: "wrong-passphrase" });
  });
});

describe("which keyslot", () => {
  test("the preferred one first, the ignored one never automatically", () => {
    const header = headerOf(keyslots);
    const tried: number[] = [];
    const counting = {
      ...OPTIONS,
      deriveKey: ((kdf, ...rest) => {
        const slot = header.keyslots.find(({ lock }) => lock?.kdf === kdf);
        if (slot !== undefined) tried.push(slot.id); // else it is a digest
        return deriveKey(kdf, ...rest);
      }) satisfies typeof deriveKey,
    };
    expect(unlock(header, passphrase(), counting)).toMatchObject({ kind: "unlocked", keyslot: 2 });
    expect(tried).toEqual([2]);
    expect(unlock(header, passphrase("one"), counting)).toEqual({ kind: "wrong-passphrase" });
    expect(tried).toEqual([2, 2, 1]);
  });

  test("a named one, even if it is ignored", () => {
    const header = headerOf(keyslots);
    expect(unlock(header, passphrase("one"), { ...OPTIONS, keyslot: 0 })).toMatchObject({ keyslot: 0 });
    expect(unlock(header, passphrase("one"), { ...OPTIONS, keyslot: 1 })).toEqual({ kind: "wrong-passphrase" });
    expect(whatItSays(() => unlock(header, passphrase(), { ...OPTIONS, keyslot: 9 }))).toContain("no keyslot");
  });

  test("those that cannot be tried are skipped", () => {
    const header = headerOf(keyslots);
    const slots = header.keyslots.map((slot) =>
      slot.id === 2 && slot.lock
        ? { ...slot, lock: { ...slot.lock, kdf: { type: "unknown", name: "scrypt" } as const } }
        : slot,
    );
    expect(unlock({ ...header, keyslots: slots }, passphrase(), OPTIONS)).toMatchObject({ keyslot: 1 });
  });
});

test("skipped keyslots of the data are reported, because the passphrase may belong to them", () => {
  const header = headerOf(keyslots);
  const hungry = header.keyslots.map((slot) => {
    const kdf = { type: "argon2id", passes: 4, memoryKib: 4 << 20, lanes: 1, salt: new Uint8Array(32) } as const;
    return slot.id === 1 && slot.lock ? { ...slot, lock: { ...slot.lock, kdf } } : slot;
  });
  expect(listUntried({ ...header, keyslots: hungry }, OPTIONS)).toEqual([
    "keyslot 1 needs 4 GiB to unlock, and 1 GiB are free",
  ]);
  expect(listUntried(header, OPTIONS)).toEqual([]);
  expect(listUntried({ ...header, keyslots: hungry }, { ...OPTIONS, keyslot: 2 })).toEqual([]);
  const unbound = header.digests.map((digest) => ({ ...digest, segments: [] }));
  expect(listUntried({ ...header, digests: unbound }, OPTIONS)).toEqual([]);
});

describe("keyslots that cannot be tried are reported with the reason", () => {
  const says = (change: (json: Luks2Json) => void, options: Partial<UnlockOptions> = {}) =>
    whatItSays(() => unlock(edit(change), passphrase(), { ...OPTIONS, ...options }));
  const argon2 = (changes: object) => (json: Luks2Json) => {
    const { salt } = json.keyslots[0].kdf;
    json.keyslots[0].kdf = { type: "argon2id", time: 4, memory: 1024, cpus: 1, salt, ...changes };
  };

  test.each([
    ["too much memory", argon2({ memory: 4 << 20 }), "keyslot 0 needs 4 GiB to unlock, and 1 GiB are free"],
    [
      "too many passes",
      argon2({ time: 0xffffffff }),
      "keyslot 0 asks for 4294967295 passes over 1024 KiB in 1 lane, which would take hours",
    ],
    // Each pass starts four threads for each lane: little memory does not make it quick.
    [
      "too many passes of many lanes",
      argon2({ time: 200_000, memory: 512, cpus: 64 }),
      "keyslot 0 asks for 200000 passes over 512 KiB in 64 lanes, which would take hours",
    ],
    ["no pass", argon2({ time: 0 }), "keyslot 0 asks for 0 passes"],
    ["no lane", argon2({ cpus: 0 }), "in 0 lanes"],
    ["too many lanes", argon2({ cpus: 1000 }), "in 1000 lanes"],
    ["less memory than lanes need", argon2({ memory: 40, cpus: 8 }), "over 40 KiB in 8 lanes"],
    ["no iteration", (json: Luks2Json) => (json.keyslots[0].kdf.iterations = 0), "asks for 0 iterations"],
    [
      "too many iterations",
      (json: Luks2Json) => (json.keyslots[0].kdf.iterations = 0xffffffff),
      "asks for 4294967295 iterations for each of 2 parts of a key, which would take hours",
    ],
    [
      "too many iterations for a long key",
      (json: Luks2Json) => {
        json.keyslots[0].kdf.iterations = 400_000_000;
        json.keyslots[0].area.key_size = 96;
      },
      "asks for 400000000 iterations for each of 3 parts of a key, which would take hours",
    ],
    [
      "keyslots that are too costly together",
      (json: Luks2Json) => {
        const [slot, ids] = [json.keyslots[0], ["0", "1", "2", "3", "4"]];
        json.config.keyslots_size = String(5 * 258048 + 4096 * 3);
        for (const [index, id] of ids.entries()) {
          const area = { ...slot.area, offset: String(32768 + index * 258048) };
          json.keyslots[id] = { ...slot, area, kdf: { ...slot.kdf, iterations: 450_000_000 } };
        }
        json.digests[0].keyslots = ids;
      },
      "trying all of its keyslots would take hours\nname the one to try: rd.luks.options=key-slot=NUMBER",
    ],
    [
      "too many iterations of the digest",
      (json: Luks2Json) => (json.digests[0].iterations = 0xffffffff),
      "asks for 4294967295 iterations",
    ],
    [
      "an unknown KDF",
      (json: Luks2Json) => (json.keyslots[0].kdf.type = "scrypt"),
      "needs the key derivation scrypt, which is not supported",
    ],
    [
      "an unknown hash",
      (json: Luks2Json) => (json.keyslots[0].kdf.hash = "whirlpool"),
      "needs the hash whirlpool, which is not supported",
    ],
    [
      "an unknown hash of the splitter",
      (json: Luks2Json) => (json.keyslots[0].af.hash = "whirlpool"),
      "needs the hash whirlpool, which is not supported",
    ],
    [
      "an unknown hash of the digest",
      (json: Luks2Json) => (json.digests[0].hash = "whirlpool"),
      "needs the hash whirlpool, which is not supported",
    ],
    ["an unknown digest", (json: Luks2Json) => (json.digests[0].type = "crc"), "has a digest of an unknown type"],
    [
      "a truncated digest",
      (json: Luks2Json) => (json.digests[0].digest = Buffer.alloc(21).toString("base64")),
      "has a truncated digest",
    ],
    [
      "another cipher",
      (json: Luks2Json) => (json.keyslots[0].area.encryption = "serpent-xts-plain64"),
      "is encrypted with serpent-xts-plain64, which needs the kernel's dm-crypt",
    ],
    [
      "no cipher",
      (json: Luks2Json) => (json.keyslots[0].area.encryption = "cipher_null-ecb"),
      "is not encrypted (cipher_null-ecb); rd.luks.options=insecure-null accepts it anyway",
    ],
    [
      "another type",
      (json: Luks2Json) => (json.keyslots[0].type = "reencrypt"),
      "is of type reencrypt, which no passphrase opens",
    ],
    [
      "an unbound one",
      (json: Luks2Json) => {
        json.digests[1] = { ...json.digests[0], segments: [] };
        json.digests[0].keyslots = [];
      },
      "is unbound",
    ],
    [
      "one that is tried only by number",
      (json: Luks2Json) => (json.keyslots[0].priority = 0),
      'keyslot 0 has the priority "ignore": key-slot=0 tries it',
    ],
    [
      "online reencryption",
      (json: Luks2Json) => (json.config.requirements = { mandatory: ["online-reencrypt-v2"] }),
      "the LUKS2 header requires online-reencrypt-v2\na reencryption is in progress\nfinish it with cryptsetup reencrypt --resume-only",
    ],
    [
      "inline tags",
      (json: Luks2Json) => (json.config.requirements = { mandatory: ["inline-hw-tags"] }),
      "integrity tags are in the sectors' own metadata",
    ],
    [
      "something new",
      (json: Luks2Json) => (json.config.requirements = { mandatory: ["new", "newer"] }),
      "the LUKS2 header requires new, newer\nlevain does not know this requirement",
    ],
  ])("%s", (_name, change, reason) => {
    expect(says(change)).toContain(reason);
  });

  test("an area in bad sectors", () => {
    const source = byteSource(readImage(luks2), (offset) => offset === 32768);
    expect(whatItSays(() => unlock(readLuksHeader(source), passphrase(), OPTIONS))).toContain(
      "keyslot 0 cannot be read",
    );
  });

  test("unknown memory is no limit", () => {
    const header = edit(argon2({ memory: 1 << 20 }));
    const cheap: typeof deriveKey = (_kdf, _passphrase, length) => new Uint8Array(length);
    expect(unlock(header, passphrase(), { ...OPTIONS, memoryBytes: null, deriveKey: cheap })).toEqual({
      kind: "wrong-passphrase",
    });
  });
});

describe("decryptors", () => {
  test("a cipher of the kernel", () => {
    const kernel: AreaDecryptor = {
      handles: ({ cipher }) => cipher === "serpent",
      decrypt: (spec, key, data) => aesDecryptor.decrypt({ ...spec, cipher: "aes" }, key, data),
    };
    const header = edit((json) => (json.keyslots[0].area.encryption = "serpent-xts-plain64"));
    const found = unlock(header, passphrase(), { ...OPTIONS, decryptors: [aesDecryptor, kernel] });
    expect(found).toMatchObject({ kind: "unlocked", keyslot: 0 });
  });

  test("a keyslot that is not encrypted, if that is allowed", () => {
    const volumeKey = luks2.volumeKey ?? new Uint8Array();
    const header = edit((json) => (json.keyslots[0].area.encryption = "cipher_null-ecb"));
    const open = { ...header, material: new Map([[0, splitKey(volumeKey, 4000, "sha256")]]) };
    const options = { ...OPTIONS, allowsNull: true, decryptors: [aesDecryptor, nullDecryptor] };
    expect(unlock(open, passphrase("any"), options)).toMatchObject({ kind: "unlocked", volumeKey });
    expect(whatItSays(() => unlock(open, passphrase("any"), { ...options, allowsNull: false }))).toContain(
      "is not encrypted",
    );
  });
});

describe("secrets", () => {
  test("are wiped for right and wrong passphrases, but not the caller's passphrase", () => {
    for (const text of [PASSPHRASE, "wrong"]) {
      const secrets: Uint8Array[] = [];
      const keep = <Bytes extends Uint8Array>(bytes: Bytes): Bytes => {
        secrets.push(bytes);
        return bytes;
      };
      const typed = passphrase(text);
      unlock(headerOf(luks2), typed, {
        ...OPTIONS,
        deriveKey: (...args) => keep(deriveKey(...args)),
        decryptors: [{ ...aesDecryptor, decrypt: (...args) => keep(aesDecryptor.decrypt(...args)) }],
      });
      expect(secrets).toHaveLength(3);
      expect(secrets.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
      expect(typed).toEqual(passphrase(text));
    }
  });

  test("also if a part fails", () => {
    let key = new Uint8Array();
    const failing: AreaDecryptor = {
      handles: () => true,
      decrypt: () => {
        throw new Error("the kernel said no");
      },
    };
    const options = { ...OPTIONS, decryptors: [failing], deriveKey: () => (key = new Uint8Array(64).fill(7)) };
    expect(() => unlock(headerOf(luks2), passphrase(), options)).toThrow("the kernel said no");
    expect(key).toEqual(new Uint8Array(64));
  });
});

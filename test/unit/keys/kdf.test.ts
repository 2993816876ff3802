import { describe, expect, test } from "bun:test";
import { createHash, pbkdf2Sync } from "node:crypto";
import fc from "fast-check";
import { createFindHash, hashBytes } from "../../../src/crypto/hash.ts";
import type { Argon2, Kdf } from "../../../src/formats/luks/header.ts";
import { readLuksHeader } from "../../../src/formats/luks/read-header.ts";
import { aesDecryptor } from "../../../src/keys/area-decryptor.ts";
import { composePbkdf2, createDeriveKey, type DerivingMachine, deriveKey } from "../../../src/keys/kdf.ts";
import { unlock } from "../../../src/keys/unlock.ts";
import type { LibraryHash } from "../../../src/machine/encryption.ts";
import { createLinuxMachine } from "../../../src/machine/linux/linux.ts";
import { SyscallError } from "../../../src/problems/errors.ts";
import { fakeMachine } from "../../support/fake-machine.ts";
import { PASSPHRASE, provideLuksImage, readImage } from "../../support/luks/cryptsetup-image.ts";
import { argon2Recipe } from "../../support/luks/recipes.ts";
import { byteSource, whatItSays } from "../../support/luks/sources.ts";

const SALT = new Uint8Array(32).fill(7);
const ARGON2: Argon2 = { type: "argon2id", passes: 4, memoryKib: 64, lanes: 2, salt: SALT };
const PBKDF2: Kdf = { type: "pbkdf2", hash: "sha256", iterations: 1000, salt: SALT };
const passphrase = Buffer.from(PASSPHRASE);

function machineWith(change: Partial<DerivingMachine>): DerivingMachine {
  return { ...fakeMachine({}), ...change };
}

describe("a key is derived", () => {
  test("by the machine alone for Argon2", () => {
    const given: unknown[] = [];
    const machine = machineWith({
      deriveArgon2(...request) {
        given.push(request);
        return Uint8Array.of(1, 2, 3);
      },
    });
    expect(createDeriveKey(machine)(ARGON2, passphrase, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(given).toEqual([[ARGON2, passphrase, 3]]);
    expect(createDeriveKey(machine)(PBKDF2, passphrase, 32)).toEqual(deriveKey(PBKDF2, passphrase, 32));
    expect(given).toHaveLength(1);
  });

  test("by the runtime if the machine cannot do it", () => {
    const machine = machineWith({ deriveArgon2: () => null });
    expect(createDeriveKey(machine)(ARGON2, passphrase, 64)).toEqual(deriveKey(ARGON2, passphrase, 64));
  });

  test("not if there is too little memory, and that is reported", () => {
    const deriveArgon2 = () => {
      throw new SyscallError("argon2id", "ENOMEM", "4194304 KiB");
    };
    const refuse = (machine: DerivingMachine) => () =>
      createDeriveKey(machine)({ ...ARGON2, memoryKib: 4 << 20 }, passphrase, 64);
    const told = fakeMachine({ files: { "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    1048576 kB\n" } });
    expect(whatItSays(refuse({ ...told, deriveArgon2 }))).toContain(
      "argon2id needs 4 GiB of memory, and 1 GiB of 1 GiB are free",
    );
    const silent = machineWith({ deriveArgon2, readFile: () => new Uint8Array() });
    expect(whatItSays(refuse(silent))).toMatch(/argon2id needs 4 GiB of memory$/m);
  });
});

/** The runtime's own hash, as if a library had it. */
function libraryOf(name: "sha1" | "sha512", digestBytes: number, blockBytes: number): LibraryHash {
  const hash = (message: Uint8Array, digest: Uint8Array) => digest.set(createHash(name).update(message).digest());
  return { digestBytes, blockBytes, hash };
}

describe("PBKDF2 with a hash of a library", () => {
  test.each([
    ["sha1", 20, 64],
    ["sha512", 64, 128],
  ] as const)("is what node:crypto makes of %s", (name, digestBytes, blockBytes) => {
    const library = libraryOf(name, digestBytes, blockBytes);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 150 }),
        (secret, salt, iterations, length) => {
          const key = composePbkdf2(library, { salt, iterations }, secret, length);
          expect(key.toHex()).toBe(pbkdf2Sync(secret, salt, iterations, length, name).toHex());
        },
      ),
      { numRuns: 200 },
    );
  });

  test("Whirlpool equals ISO/IEC 10118-3", () => {
    const find = createFindHash(createLinuxMachine());
    const whirlpool = find("WHIRLPOOL");
    if (whirlpool === null) throw new Error("there is no Whirlpool");
    const digests = ["", "abc"].map((text) => hashBytes(whirlpool, Buffer.from(text)).toHex());
    expect(digests).toEqual([
      "19fa61d75522a4669b44e39c1d2e1726c530232130d407f89afee0964997f7a73e83be698b288febcf88e3e03c4f0757ea8964e59b63d93708b138cc42a66eb3",
      "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5",
    ]);
    expect([find("sha256")?.library, find("tiger")]).toEqual([undefined, null]);
  });

  test("BLAKE2s equals RFC 7693, and PBKDF2 with it OpenSSL", () => {
    const machine = createLinuxMachine();
    const blake = createFindHash(machine)("BLAKE2s-256");
    if (blake === null) throw new Error("there is no BLAKE2s");
    const digest = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982";
    expect(hashBytes(blake, Buffer.from("abc")).toHex()).toBe(digest);
    const kdf = { type: "pbkdf2", hash: "blake2s-256", iterations: 2, salt: Buffer.from("salt") } as const;
    // python3: hashlib.pbkdf2_hmac("blake2s256", b"p", b"salt", 2, 32)
    const key = "35ac541e3af422aacf78a7732d2491864ed6ed90d3df258cd0ffd3d74d9b0aa9";
    expect(createDeriveKey(machine)(kdf, Buffer.from("p"), 32).toHex()).toBe(key);
  });
});

describe.each(["argon2i", "argon2id"])("headers with %s", (kdf) => {
  test.each([1, 2, 4])("with %d lanes are opened by libargon2", async (lanes) => {
    const image = await provideLuksImage(argon2Recipe(kdf, String(lanes)));
    const header = readLuksHeader(byteSource(readImage(image)));
    expect(header.keyslots[0]?.lock?.kdf).toMatchObject({ type: kdf, lanes });
    const machine = createLinuxMachine();
    const derived: (Uint8Array | null)[] = [];
    const watched: DerivingMachine = {
      ...machine,
      deriveArgon2(...request) {
        derived.push(machine.deriveArgon2(...request));
        return derived.at(-1) ?? null;
      },
    };
    const options = { deriveKey: createDeriveKey(watched), decryptors: [aesDecryptor], keyslot: null };
    const found = unlock(header, passphrase, { ...options, memoryBytes: null, allowsNull: false });
    expect(found.kind === "unlocked" ? found.volumeKey.toHex() : found.kind).toBe(image.volumeKey?.toHex() ?? "");
    // Wiped by `unlock`, but of the machine's own making.
    expect(derived).toEqual([new Uint8Array(64)]);
  });
});

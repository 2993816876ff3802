import { describe, expect, test } from "bun:test";
import { SyscallError } from "../../../src/errors.ts";
import { aesDecryptor } from "../../../src/luks/area-decryptor.ts";
import type { Argon2, Kdf } from "../../../src/luks/header.ts";
import { createDeriveKey, type DerivingMachine, deriveKey } from "../../../src/luks/kdf.ts";
import { readLuksHeader } from "../../../src/luks/read-header.ts";
import { unlock } from "../../../src/luks/unlock.ts";
import { createLinuxMachine } from "../../../src/machine/linux.ts";
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
  test("by the machine where it is Argon2, and by nothing else then", () => {
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

  test("by the runtime where the machine has no way to do it", () => {
    const machine = machineWith({ deriveArgon2: () => null });
    expect(createDeriveKey(machine)(ARGON2, passphrase, 64)).toEqual(deriveKey(ARGON2, passphrase, 64));
  });

  test("or not, where the memory is not there, in words", () => {
    const deriveArgon2 = () => {
      throw new SyscallError("argon2id", "ENOMEM", "4194304 KiB");
    };
    const refuse = (machine: DerivingMachine) => () =>
      createDeriveKey(machine)({ ...ARGON2, memoryKib: 4 << 20 }, passphrase, 64);
    const told = fakeMachine({ files: { "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    1048576 kB\n" } });
    expect(whatItSays(refuse({ ...told, deriveArgon2 }))).toContain(
      "argon2id needs 4 GiB of memory, this machine has 1 GiB",
    );
    const silent = machineWith({ deriveArgon2, stat: () => null });
    expect(whatItSays(refuse(silent))).toMatch(/argon2id needs 4 GiB of memory$/m);
  });
});

describe.each(["argon2i", "argon2id"])("headers with %s", (kdf) => {
  test.each([1, 2, 4])("of %d lanes open by libargon2", async (lanes) => {
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

import { describe, expect, test } from "bun:test";
import type { Argon2, Kdf, Pbkdf2 } from "../../../src/formats/luks/header.ts";
import { costOf, createEstimate, formatWait } from "../../../src/keys/kdf-cost.ts";

const pbkdf2 = (iterations: number, hash = "sha256"): Pbkdf2 => ({
  type: "pbkdf2",
  hash,
  iterations,
  salt: new Uint8Array(32),
});
const argon2 = (passes: number, memoryKib: number): Argon2 => ({
  type: "argon2id",
  passes,
  memoryKib,
  lanes: 4,
  salt: new Uint8Array(32),
});

describe("what a derivation costs", () => {
  test("is counted in iterations of every part of the key, or in KiB of every pass", () => {
    expect(costOf(pbkdf2(1000), 32, 32)).toBe(1000);
    expect(costOf(pbkdf2(1000), 33, 32)).toBe(2000);
    expect(costOf({ ...argon2(4, 1024), lanes: 1 }, 64, null)).toBe(4 * 1224);
    expect(costOf(argon2(4, 1024), 64, null)).toBe(4 * 1824);
    expect(costOf({ type: "unknown", name: "scrypt" }, 64, null)).toBe(0);
  });
});

describe("how long it will take", () => {
  /** Each unit of cost takes `ms`; what was derived is kept. */
  const machine = (ms: number) => {
    let now = 0;
    const asked: Kdf[] = [];
    return {
      asked,
      nowMs: () => now,
      deriveKey: (kdf: Kdf, _passphrase: Uint8Array, length: number) => {
        asked.push(kdf);
        now += ms * costOf(kdf, length, 32);
        return new Uint8Array(length);
      },
    };
  };

  test("is measured by a small part of it", () => {
    const slow = machine(0.001);
    expect(createEstimate(slow)(pbkdf2(1_000_000_000), 64)).toBeCloseTo(2_000_000);
    expect(slow.asked).toMatchObject([{ type: "pbkdf2", iterations: 100_000 }]);
    const other = machine(0.001);
    expect((createEstimate(other)(argon2(1000, 1 << 20), 64) ?? 0) / 1000).toBeCloseTo(
      (1000 * (2 ** 20 + 800)) / 1e6,
      3,
    );
    expect(other.asked).toMatchObject([{ type: "argon2id", passes: 1, memoryKib: 65_536, lanes: 4 }]);
  });

  test("is not measured for a cheap one: nothing is derived twice", () => {
    const { asked, ...quick } = machine(1);
    expect(createEstimate(quick)(pbkdf2(5_000_000), 64)).toBeNull();
    expect(createEstimate(quick)(argon2(4, 1 << 20), 64)).toBeNull();
    expect(createEstimate(quick)({ type: "unknown", name: "scrypt" }, 64)).toBeNull();
    expect(asked).toEqual([]);
    expect(createEstimate(quick)(argon2(100_000, 32), 64)).not.toBeNull();
  });
});

test.each([
  [12_000, "12 s"],
  [89_000, "89 s"],
  [100_000, "2 min"],
  [3_600_000, "60 min"],
  [8_000_000, "2 h"],
])("%i ms in words", (ms, text) => {
  expect(formatWait(ms)).toBe(text);
});

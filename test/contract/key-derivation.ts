import { deepEqual, equal } from "node:assert/strict";
import type { Argon2Request } from "../../src/machine/encryption.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { type ContractCase, refuses } from "./case.ts";

const SALT = Buffer.from("somesalt");
const REQUEST: Argon2Request = { type: "argon2id", passes: 2, memoryKib: 256, lanes: 1, salt: SALT };

function derive(machine: Machine, change: Partial<Argon2Request>, passphrase = "password"): string | undefined {
  return machine.deriveArgon2({ ...REQUEST, ...change }, Buffer.from(passphrase), 32)?.toHex();
}

/** Argon2. Those with one lane and two are the reference implementation's own vectors (phc-winner-argon2, src/test.c, version 0x13). */
export const KEY_DERIVATION_CASES: readonly ContractCase[] = [
  {
    name: "Argon2 derives what its reference implementation does",
    check(machine) {
      deepEqual(
        [
          derive(machine, { type: "argon2i" }),
          derive(machine, { type: "argon2i", lanes: 2 }),
          derive(machine, {}),
          derive(machine, { lanes: 2 }),
        ],
        [
          "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f",
          "4ff5ce2769a1d7f4c8a491df09d41a9fbe90e5eb02155a13e4c01e20cd4eab61",
          "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
          "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
        ],
      );
    },
  },
  {
    name: "Argon2 has four lanes, and keys of any length",
    check(machine) {
      equal(
        derive(machine, { lanes: 4, memoryKib: 1024 }),
        "f35d89e88afd697e0f56dc0c42c5b00247253f5ecb1d858f767e7ed665f37c44",
      );
      const long = machine.deriveArgon2(REQUEST, Buffer.from("password"), 96);
      equal(long?.length, 96);
    },
  },
  {
    name: "Argon2 takes an empty passphrase",
    check: (machine) =>
      equal(derive(machine, {}, ""), "da9249791fc4177d891d2032e5fbcf254684ed66f4c2d34022d862aa039d07cf"),
  },
  {
    name: "Argon2 with a salt of four bytes is EINVAL",
    check: (machine) => refuses("EINVAL", () => derive(machine, { salt: SALT.subarray(0, 4) })),
  },
  {
    name: "a hash that no library has is null",
    check: (machine) => equal(machine.findLibraryHash("sha256"), null),
  },
  {
    name: "Argon2 over more memory than there is is ENOMEM",
    check: (machine) => refuses("ENOMEM", () => derive(machine, { memoryKib: 2 ** 32 - 1 })),
  },
];

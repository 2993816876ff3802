import { describe, expect, test } from "bun:test";
import { constants } from "node:os";
import { SYS } from "../../../src/machine/abi/calls.ts";
import { errnoName } from "../../../src/machine/abi/constants.ts";

describe("errnoName", () => {
  test("agrees with the runtime where it has a name", () => {
    // EAGAIN and EWOULDBLOCK, EOPNOTSUPP and ENOTSUP are one number each: the kernel's name is the first.
    const aliases = ["EWOULDBLOCK", "ENOTSUP"];
    for (const [name, number] of Object.entries(constants.errno)) {
      if (!aliases.includes(name)) expect([number, errnoName(number)]).toEqual([number, name]);
    }
  });

  test("knows the rarer ones that a boot meets, by asm-generic/errno.h", () => {
    const names = {
      117: "EUCLEAN",
      123: "ENOMEDIUM",
      124: "EMEDIUMTYPE",
      126: "ENOKEY",
      129: "EKEYREJECTED",
      133: "EHWPOISON",
    };
    for (const [number, name] of Object.entries(names)) expect(errnoName(Number(number))).toBe(name);
  });

  test("returns a number if there is no name", () => {
    expect([errnoName(0), errnoName(41), errnoName(58), errnoName(524), errnoName(-1)]).toEqual([
      "E0",
      "E41",
      "E58",
      "E524",
      "E-1",
    ]);
  });
});

test("every system call has its own number", () => {
  const numbers = Object.values(SYS);
  expect(new Set(numbers).size).toBe(numbers.length);
});

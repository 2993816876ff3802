import { expect, test } from "bun:test";
import fc from "fast-check";
import { readModinfo } from "../../../../src/drivers/index/modinfo.ts";
import { moduleElf } from "../../desk/module-elf.ts";

const ELF = moduleElf("license=GPL", "firmware=a/b.bin", "empty=", "=x", "noequals", "parm=a=b");

test("the strings of .modinfo", () => {
  expect(readModinfo(ELF)).toEqual([
    { key: "license", value: "GPL" },
    { key: "firmware", value: "a/b.bin" },
    { key: "empty", value: "" },
    { key: "parm", value: "a=b" },
  ]);
});

test("a file that is not a module, or is truncated, has none, without an error", () => {
  expect(readModinfo(new Uint8Array())).toEqual([]);
  expect(readModinfo(Buffer.from("#!/bin/sh\n".repeat(20)))).toEqual([]);
  const used = ELF.length - 24; // the last header ends in fields that nobody reads
  for (let length = 0; length < used; length += 1) expect(readModinfo(ELF.subarray(0, length))).toEqual([]);
});

test("any damage to the file is no error", () => {
  const damage = fc.array(fc.record({ at: fc.nat(ELF.length - 1), value: fc.nat(255) }), { minLength: 1 });
  fc.assert(
    fc.property(damage, (places) => {
      const bytes = new Uint8Array(ELF);
      for (const { at, value } of places) bytes[at] = value;
      return Array.isArray(readModinfo(bytes));
    }),
    { numRuns: 1000 },
  );
});

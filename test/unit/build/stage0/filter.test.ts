import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AARCH64, X86_64 } from "../../../../build/stage0/link.ts";
import { codeFilter } from "../../../../build/stage0/paged/filter.ts";
import { PAGE } from "../../../../build/stage0/paged/memory.ts";

const REGIONS = [
  { address: 0x200000, fileEnd: 0x400000, memoryEnd: 0x400000, protection: 1 },
  { address: 0x400000, fileEnd: 0x600000, memoryEnd: 0x600000, protection: 5 },
];
const LOW = 0x200000;
const SIZE = 0x400000;
const filter = codeFilter(REGIONS, X86_64);
const armFilter = codeFilter(REGIONS, AARCH64);

/** The inverse, as decode.c does it. */
function decode(bytes: Buffer, page: number): Buffer {
  for (let at = 0; at + 5 <= bytes.length; at++) {
    if (bytes[at] !== 0xe8 && bytes[at] !== 0xe9) continue;
    const next = page * PAGE + at + 5 - LOW;
    const value = bytes.readInt32BE(at + 1);
    const change = value < 0 ? SIZE : -next;
    bytes.writeInt32LE(-next <= value && value < SIZE ? value + change : value, at + 1);
    at += 4;
  }
  return bytes;
}

test("two calls of one function become the same bytes", () => {
  const bytes = Buffer.from("e8000100000000e8f900000000", "hex");
  expect(filter(bytes, 0x400).toString("hex")).toBe("e8002001050000e80020010500".padEnd(26, "0"));
});

test("what is no code stays", () => {
  const bytes = Buffer.from("e800010000e8f900000000", "hex");
  expect(filter(Buffer.from(bytes), 0x200).equals(bytes)).toBeTrue();
});

test("every code comes back", () => {
  const number = fc.oneof(
    fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    fc.integer({ min: -0x600000, max: 0x600000 }),
    fc.constantFrom(SIZE, SIZE - 1, -SIZE, 0x7fffffff, -0x80000000, -0x200005, -0x200006, 0x1ffffa, 0x1ffffb),
  );
  const part = fc.tuple(fc.constantFrom(0xe8, 0xe9, 0x90, 0x0f), number).map(([code, value]) => {
    const bytes = Buffer.alloc(5, code);
    bytes.writeInt32LE(value, 1);
    return bytes;
  });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.integer({ min: 0x400, max: 0x5ff }), (parts, page) => {
      const bytes = Buffer.concat(parts);
      expect(decode(filter(Buffer.from(bytes), page), page).equals(bytes)).toBeTrue();
    }),
    { numRuns: 500 },
  );
});

describe("AArch64", () => {
  /** The inverse, as decode.c does it. */
  function decodeBranches(bytes: Buffer, page: number): Buffer {
    for (let at = 0; at < bytes.length; at += 4) {
      const word = bytes.readUInt32LE(at);
      if (word >>> 26 !== 0x25) continue;
      const distance = (word - (page * PAGE - LOW + at) / 4) & 0x3ffffff;
      bytes.writeUInt32LE((0x94000000 | distance) >>> 0, at);
    }
    return bytes;
  }

  test("two calls of one function become the same bytes", () => {
    const bytes = Buffer.from("40000094c0035fd63e000094", "hex");
    expect(armFilter(bytes, 0x400).toString("hex")).toBe("40000894c0035fd640000894");
  });

  test("every code comes back, and data stays", () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0x94000000, max: 0x97ffffff }));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.integer({ min: 0x400, max: 0x5ff }), (words, page) => {
        const bytes = Buffer.alloc(words.length * 4);
        for (const [index, each] of words.entries()) bytes.writeUInt32LE(each, index * 4);
        expect(decodeBranches(armFilter(Buffer.from(bytes), page), page).equals(bytes)).toBeTrue();
        expect(armFilter(Buffer.from(bytes), 0x200).equals(bytes)).toBeTrue();
      }),
      { numRuns: 300 },
    );
  });
});

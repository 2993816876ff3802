import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readBinaryIndex, readBinaryParts } from "../../../../src/drivers/index/binary-index.ts";

/** Parts of an index file: bytes, or texts that end with NUL. */
function joined(...parts: readonly (string | number | readonly number[])[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return Buffer.from(`${part}\0`);
      if (typeof part !== "number") return Buffer.from(part);
      const number = Buffer.alloc(4);
      number.writeUInt32BE(part >>> 0);
      return number;
    }),
  );
}

const HEADER = [0xb007f457, 0x00020001] as const;
const PREFIX = 0x80000000;
const VALUES = 0x40000000;
const CHILDREN = 0x20000000;

/** The root has the prefix "o", and children for "k" (a leaf with one value) and "n" (a leaf with a prefix and two). */
function makeIndex(): Buffer {
  const root = joined("o", [0x6b, 0x6e]);
  const first = 12 + root.length + 16;
  const leaf = joined(1, 7, "ok!");
  const children = joined((VALUES | first) >>> 0, 0, 0, (PREFIX | VALUES | (first + leaf.length)) >>> 0);
  const header = joined(...HEADER, (PREFIX | CHILDREN | 12) >>> 0);
  return Buffer.concat([header, root, children, leaf, joined("ce", 2, 9, "x", 3, "y")]);
}

const INDEX = makeIndex();

describe("depmod's binary index", () => {
  test("prefixes, children and values", () => {
    const found = readBinaryIndex(INDEX);
    expect(found?.map(({ key, value, priority }) => `${key}=${value}@${priority}`).sort()).toEqual([
      "ok=ok!@7",
      "once=x@9",
      "once=y@3",
    ]);
  });

  test("another file, another version or a truncated index is null", () => {
    expect(readBinaryIndex(new Uint8Array())).toBeNull();
    expect(readBinaryIndex(Buffer.from("kernel/fs/ext4/ext4.ko:\n"))).toBeNull();
    expect(readBinaryIndex(Buffer.concat([joined(HEADER[0], 0x00030000), INDEX.subarray(8)]))).toBeNull();
    for (let length = 0; length < INDEX.length; length += 1)
      expect(readBinaryIndex(INDEX.subarray(0, length))).toBeNull();
  });

  test("a node that is its own child ends", () => {
    const loop = joined(...HEADER, (CHILDREN | 12) >>> 0, [0x61, 0x61], (CHILDREN | 12) >>> 0);
    expect(readBinaryIndex(loop)).toBeNull();
    // By two ways each time, there would be 2^4096 of them.
    const child = (CHILDREN | 12) >>> 0;
    expect(readBinaryIndex(joined(...HEADER, child, [0x61, 0x62], child, child))).toBeNull();
  });

  test("a changed byte gives only entries or null", () => {
    fc.assert(
      fc.property(fc.nat(INDEX.length - 1), fc.nat(255), (offset, value) => {
        const changed = Buffer.from(INDEX);
        changed[offset] = value;
        const found = readBinaryIndex(changed);
        expect(found === null || found.length < INDEX.length).toBe(true);
      }),
    );
  });

  test("without modules.dep.bin there are no parts", () => {
    expect(readBinaryParts((name) => (name === "alias" ? INDEX : new Uint8Array()), "")).toBeNull();
  });
});

import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { removeResources } from "../../../../build/runtime/resources.ts";
import { loads, readElf } from "../../../../src/desk/program/elf.ts";

const small = Buffer.from(readFileSync("/bin/true"));
const [data] = loads(readElf(small));
const AT = data?.offset ?? 0;

/** A small program with these bytes in its first segment, where they begin at `AT`. */
function programWith(bytes: Uint8Array): Buffer {
  const program = Buffer.concat([small, Buffer.alloc(Math.max(0, AT + 4096 + bytes.length - small.length))]);
  // Elf64_Phdr: p_filesz. The header of the first PT_LOAD.
  const headersAt = Number(program.readBigUInt64LE(32));
  const index = readElf(small).programHeaders.findIndex(({ type }) => type === 1);
  program.writeBigUInt64LE(BigInt(4096 + bytes.length), headersAt + index * 56 + 32);
  program.set(bytes, AT + 4096);
  return program;
}

describe("the files for Bun's own commands", () => {
  test("become zeros, and nothing else does", () => {
    const frame = zstdCompressSync(randomBytes(3000));
    const program = programWith(Buffer.concat([Buffer.from("before"), frame, Buffer.from("behind")]));
    const expected = Buffer.from(program).fill(0, AT + 4102, AT + 4102 + frame.length);
    expect(removeResources(program)).toEqual([{ offset: AT + 4102, size: frame.length }]);
    expect(program.equals(expected)).toBeTrue();
  });

  test.each([
    ["short frames", zstdCompressSync(randomBytes(500))],
    ["damaged frames", zstdCompressSync(randomBytes(3000)).fill(255, 6, 9)],
    ["truncated frames", zstdCompressSync(Buffer.alloc(200_000, "abcdefg")).subarray(0, -5)],
    ["nothing but the magic number", Buffer.from("28b52ffd", "hex")],
  ])("are not %s", (_, bytes) => {
    const program = programWith(bytes);
    const before = Buffer.from(program);
    expect(removeResources(program)).toEqual([]);
    expect(program.equals(before)).toBeTrue();
  });

  test("are searched for in any bytes without a crash", () => {
    const magic = Buffer.from("28b52ffd", "hex");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        removeResources(programWith(Buffer.concat([magic, bytes])));
      }),
      { numRuns: 300 },
    );
  });

  test("of the Bun in node_modules are found: 1 MB in its read-only data, and no other", () => {
    const program = Buffer.from(readFileSync(process.execPath));
    const before = Buffer.from(program);
    const removed = removeResources(program);
    const total = removed.reduce((sum, { size }) => sum + size, 0);
    expect(total).toBeGreaterThan(900_000);
    for (const { offset, size } of removed) before.fill(0, offset, offset + size);
    expect(program.equals(before)).toBeTrue();
  });
});

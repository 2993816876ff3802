import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { ByteSource } from "../../../src/formats/facts.ts";
import { readProgramFile } from "../../../src/formats/program-file.ts";

/** As a file is read: nothing beyond its end, and nothing that takes long. */
function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(length).toBeWithin(0, 65537);
      return bytes.slice(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length));
    },
  };
}

const HEAD_BYTES = 1024;
const PROGRAM = new Uint8Array(readFileSync("/bin/true").subarray(0, 65536));

test("a real program names its loader", () => {
  expect(readProgramFile(sourceOf(PROGRAM))).toEqual({
    format: "elf",
    machine: 62,
    loader: "/lib64/ld-linux-x86-64.so.2",
  });
});

test("any content of a file, truncated anywhere, is read or unknown", () => {
  const changes = fc.array(fc.tuple(fc.nat(HEAD_BYTES - 1), fc.nat(255)), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(changes, fc.nat(HEAD_BYTES), (changed, length) => {
      const bytes = PROGRAM.slice(0, length);
      for (const [at, value] of changed) if (at > 3 && at < length) bytes[at] = value;
      expect(["elf", "unknown"]).toContain(readProgramFile(sourceOf(bytes)).format);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => {
      const script = readProgramFile(sourceOf(Uint8Array.of(0x23, 0x21, ...tail)));
      expect(script.format === "script" && /[ \t\n\0]/.test(script.interpreter)).toBe(false);
      expect(readProgramFile(sourceOf(tail)).format).toBeOneOf(["script", "unknown"]);
    }),
  );
});

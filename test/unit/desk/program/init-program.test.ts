import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_MAGIC, EM, STORE_MAGIC } from "../../../../src/desk/program/elf.ts";
import { initProgram, initProgramKinds } from "../../../../src/desk/program/init-program.ts";
import { readTrailer, TRAILER_SIZE, writeTrailer } from "../../../../src/desk/program/trailer.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { report } from "../../../../src/problems/report.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { initBytes } from "../../../support/init-bytes.ts";

/** A static ELF file with one segment, which begins with `magic`. */
function program(magic: string): Buffer {
  const bytes = Buffer.alloc(4096 + 64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64);
  bytes.writeBigUInt64LE(4096n, 72);
  bytes.write(magic, 4096, "latin1");
  return bytes;
}

const plain = program(CONFIG_MAGIC);
const paged = program(STORE_MAGIC);

function both(change?: (trailer: Buffer) => void): Buffer {
  const padding = Buffer.alloc(8192 - plain.length);
  const trailer = writeTrailer({ plainSize: plain.length, pagedOffset: 8192, pagedSize: paged.length });
  change?.(trailer as Buffer);
  return Buffer.concat([plain, padding, paged, trailer]);
}

function file(bytes: Uint8Array): string {
  const path = join(scratchDirectory(), "levain");
  writeFileSync(path, bytes);
  return path;
}

function complaint(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof BootError) return report(error).join("\n");
    throw error;
  }
  return "";
}

describe("the programs of dist/levain", () => {
  test("are the plain one, and the paged one after it", () => {
    const path = file(both());
    expect(initProgramKinds(path)).toEqual(["paged", "plain"]);
    const fields = { machine: EM.X86_64, interpreter: null };
    expect(initProgram("paged", path)).toMatchObject({ kind: "paged", isCompressed: true, ...fields });
    expect(initProgram("plain", path)).toMatchObject({ kind: "plain", isCompressed: false, ...fields });
    expect(initBytes("paged", path)).toEqual(paged);
    expect(initBytes("plain", path)).toEqual(plain);
  });

  test("are only one if nothing is appended, or in an initramfs", () => {
    expect(initProgramKinds(file(plain))).toEqual(["plain"]);
    expect(initProgramKinds(file(paged))).toEqual(["paged"]);
    expect(initBytes("paged", file(paged))).toEqual(paged);
  });

  test("a kind that is not there is an error that says what to use", () => {
    const lacksPaged = complaint(() => initProgram("paged", file(plain)));
    expect(lacksPaged).toContain("cannot write the paged runtime");
    expect(lacksPaged).toContain("hint: build levain with make and use dist/levain, or --runtime=plain");
    const lacksPlain = complaint(() => initProgram("plain", file(paged)));
    expect(lacksPlain).toContain("cannot write the plain runtime");
    expect(lacksPlain).toContain("hint: use the levain that make built (dist/levain)");
  });

  test("a file that cannot be read is named", () => {
    expect(complaint(() => initProgram("plain", "/no/such"))).toContain(
      "cannot read /no/such, which is to become /init",
    );
    expect(complaint(() => initProgram("plain", file(Buffer.alloc(0))))).toContain("is not a supported ELF file");
  });
});

describe("the trailer", () => {
  const tail = both().subarray(-TRAILER_SIZE);
  const size = both().length;

  test("belongs to a file of exactly its size", () => {
    expect(readTrailer(tail, size)).toEqual({ plainSize: plain.length, pagedOffset: 8192, pagedSize: paged.length });
    expect(readTrailer(tail, size - 1)).toBeNull();
    expect(readTrailer(tail, size + 1)).toBeNull();
    expect(readTrailer(tail.subarray(1), size)).toBeNull();
  });

  test.each([
    ["magic", 0],
    ["size of the plain program", 16],
    ["place of the paged program", 24],
    ["size of the paged program", 32],
  ])("with another %s is none", (_, at) => {
    const changed = Buffer.from(tail);
    changed.writeBigUInt64LE(0xffff_ffff_ffff_ff00n, at);
    expect(readTrailer(changed, size)).toBeNull();
    expect(initProgramKinds(file(both((trailer) => trailer.writeBigUInt64LE(1n << 40n, at))))).toEqual(["plain"]);
  });

  test("a cut file has none", () => {
    expect(initProgramKinds(file(readFileSync(file(both())).subarray(0, -8)))).toEqual(["plain"]);
  });
});

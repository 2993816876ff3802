import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EM, fileOffset, isElf, PT, readElf, readString } from "../../../../src/desk/program/elf.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { report } from "../../../../src/problems/report.ts";

async function read(path: string): Promise<Uint8Array> {
  return new Uint8Array(await Bun.file(path).arrayBuffer());
}

/** What binutils says about the same file: the independent second opinion. */
function readelf(...args: string[]): string {
  return Bun.spawnSync(["readelf", "-W", ...args], { env: { ...process.env, LC_ALL: "C" } }).stdout.toString();
}

const LIBM = "/lib/x86_64-linux-gnu/libm.so.6";

describe("readElf", () => {
  test("agrees with binutils on a dynamic program", async () => {
    const elf = readElf(await read("/bin/ls"));
    const dynamic = readelf("-d", "/bin/ls");
    expect(elf.needed).toEqual([...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => match[1] as string));
    expect(elf.needed.length).toBeGreaterThan(0);
    const headers = readelf("-l", "/bin/ls");
    expect(headers).toContain(`[Requesting program interpreter: ${elf.interpreter}]`);
    expect(headers).toContain(`Entry point 0x${elf.entry.toString(16)}`);
    const loads = [...headers.matchAll(/LOAD\s+0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+)/g)];
    expect(
      elf.programHeaders.filter((h) => h.type === PT.LOAD).map((h) => [h.offset, h.address, h.fileSize, h.memorySize]),
    ).toEqual(loads.map((match) => match.slice(1, 5).map((hex) => Number.parseInt(hex, 16))));
  });

  test("knows a library by its name", async () => {
    expect(readElf(await read(LIBM))).toMatchObject({
      class: 64,
      machine: EM.X86_64,
      type: "shared",
      soname: "libm.so.6",
      interpreter: null,
    });
  });

  test("reads a 32-bit program", () => {
    // A hand-made ELF32: header, then one PT_INTERP that names "/ld".
    const bytes = new Uint8Array(52 + 32 + 4);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
    const view = new DataView(bytes.buffer);
    view.setUint16(16, 2, true);
    view.setUint16(18, EM.I386, true);
    view.setUint32(24, 0x8048000, true);
    view.setUint32(28, 52, true);
    view.setUint16(42, 32, true);
    view.setUint16(44, 1, true);
    for (const [offset, value] of [
      [0, PT.INTERP],
      [4, 84],
      [16, 4],
    ] as const)
      view.setUint32(52 + offset, value, true);
    bytes.set(Buffer.from("/ld\0"), 84);
    expect(readElf(bytes)).toMatchObject({
      class: 32,
      machine: EM.I386,
      type: "executable",
      entry: 0x8048000,
      interpreter: "/ld",
      needed: [],
    });
  });

  test.each([
    ["text", Buffer.from("#!/bin/sh\n"), "does not begin with the ELF magic"],
    ["nothing", new Uint8Array(0), "does not begin with the ELF magic"],
    ["another class", Buffer.from("\x7fELF\x03\x01\x01"), "its class is 3"],
    ["big-endian", Buffer.from("\x7fELF\x02\x02\x01"), "not little-endian"],
    ["a stump", Buffer.from("\x7fELF\x02\x01\x01"), "its tables end after the file"],
  ])("refuses %s", (_, bytes, reason) => {
    expect(() => readElf(bytes, "x")).toThrow(BootError);
    expect(() => readElf(bytes, "x")).toThrow("x is not a supported ELF file: ");
    expect(() => readElf(bytes, "x")).toThrow(reason);
  });

  test("says so in one line, and calls it no bug", () => {
    try {
      readElf(Buffer.from("text"), "x");
      expect.unreachable();
    } catch (error) {
      expect(report(error)).toEqual(["x is not a supported ELF file: it does not begin with the ELF magic number"]);
    }
  });

  test("parses or refuses any bytes", async () => {
    const good = await read(LIBM);
    const change = fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.nat(good.length), change, (length, changes) => {
        const bytes = good.slice(0, Math.max(length, 64));
        for (const [offset, value] of changes) if (offset < bytes.length && offset > 6) bytes[offset] = value;
        try {
          expect(readElf(bytes).class).toBe(64);
        } catch (error) {
          expect(error).toBeInstanceOf(BootError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("helpers", () => {
  test("isElf looks at the magic only", () => {
    expect(isElf(Buffer.from("\x7fELF"))).toBe(true);
    expect(isElf(Buffer.from("\x7fELG"))).toBe(false);
  });

  test("fileOffset refuses what is not in the file (bss included)", () => {
    const load = {
      type: PT.LOAD,
      flags: 6,
      offset: 0x1000,
      address: 0x400000,
      fileSize: 0x10,
      memorySize: 0x20,
      align: 4096,
    };
    expect(fileOffset([load], 0x40000f)).toBe(0x100f);
    expect(() => fileOffset([load], 0x400010)).toThrow("0x400010");
  });

  test("readString refuses a name without an end or outside the table", () => {
    const table = Buffer.from("ab\0cd");
    expect(readString(table, 1)).toBe("b");
    expect(() => readString(table, 3)).toThrow("outside");
    expect(() => readString(table, 9)).toThrow("outside");
    expect(() => readString(table, -1)).toThrow("outside");
  });
});

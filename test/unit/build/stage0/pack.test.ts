import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { NamedFile } from "../../../../build/stage0/checks.ts";
import { pack, packFile } from "../../../../build/stage0/pack.ts";
import { PT, readElf } from "../../../../src/desk/program/elf.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { linkOnce } from "../../../support/compiled-c.ts";
import { compileProgram, packedChild } from "../../../support/packed-program.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

// stage0-child.c is in the place of the Bun executable: dynamically linked, not position-independent, and small.

const LOADER = "ld-linux-x86-64.so.2";
let packed = "";
let program: NamedFile = { name: "", bytes: new Uint8Array(0) };
const loader: NamedFile = { name: LOADER, bytes: readFileSync(`/lib64/${LOADER}`) };
const libc: NamedFile = { name: "libc.so.6", bytes: readFileSync("/lib/x86_64-linux-gnu/libc.so.6") };
const libm: NamedFile = { name: "libm.so.6", bytes: readFileSync("/lib/x86_64-linux-gnu/libm.so.6") };
// One is enough where nothing is run: linking is what takes the time.
let linked: Uint8Array;
let linkedAt = 0;

beforeAll(async () => {
  packed = await packedChild();
  program = { name: "program", bytes: readFileSync(await compileProgram("stage0-child.c")) };
  pack({ program, loader, libraries: [libc] }, (target, address, places) => {
    linkedAt = address;
    linked = linkOnce(target, address, places);
    return linked;
  });
});

/** Packs with bytes of the program changed: 32-bit words by their place in the file. */
function packChanged(changes: Readonly<Record<number, number>>): Uint8Array {
  const bytes = Buffer.from(program.bytes);
  for (const [at, value] of Object.entries(changes)) bytes.writeUInt32LE(value, Number(at));
  return pack({ program: { name: "program", bytes }, loader, libraries: [libc] }, () => linked);
}

/** Where the first dynamic entry of this tag is in the file. */
function dynamicEntry(tag: number): number {
  const found = readElf(program.bytes).dynamic.find((entry) => entry.tag === tag);
  if (found === undefined) throw new Error(`no tag ${tag}`);
  return found.offset;
}

/** Where the nth program header of this type is in the file. */
function programHeader(type: number, nth = 0): number {
  const elf = readElf(program.bytes);
  const indexes = [...elf.programHeaders.entries()]
    .filter(([, header]) => header.type === type)
    .map(([index]) => index);
  return elf.programHeaderOffset + (indexes[nth] ?? Number.NaN) * 56;
}

interface Run {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

function run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
  const child = Bun.spawnSync([...argv], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...environment },
    stderr: "pipe",
  });
  const lines = child.stdout.toString().split("\n").slice(0, -1);
  return { status: child.exitCode, lines, errors: child.stderr.toString() };
}

/** The environment that stage0 gives to the runtime outside an initramfs. */
const FOR_THE_RUNTIME = [
  "BUN_JSC_thresholdForFTLOptimizeAfterWarmUp=1000000",
  "BUN_JSC_thresholdForJITAfterWarmUp=20000",
  "BUN_JSC_thresholdForOptimizeAfterWarmUp=20000",
];

describe("a packed program outside an initramfs", () => {
  test("is a static executable to file, ldd and readelf", () => {
    expect(run(["file", packed]).lines[0]).toContain(
      "ELF 64-bit LSB executable, x86-64, version 1 (SYSV), statically linked",
    );
    expect(run(["ldd", packed]).errors + run(["ldd", packed]).lines).toContain("not a dynamic executable");
    const headers = run(["readelf", "-lW", packed]);
    expect(headers.errors).toBe("");
    expect(headers.lines.filter((line) => /INTERP|DYNAMIC/.test(line))).toEqual([]);
  });

  test("has no segment that can be both written and executed, and its stack is as the program's", () => {
    const elf = readElf(readFileSync(packed));
    expect(elf.programHeaders.filter((header) => (header.flags & 3) === 3)).toEqual([]);
    expect(elf.programHeaders.filter((header) => header.type === PT.GNU_STACK)).toHaveLength(1);
  });

  test("gets its arguments and environment unchanged, and no handover pipe", () => {
    const { status, lines } = run([packed, "a b", "", "é"], { LEVAIN_X: "1", STATUS: "41" });
    expect(status).toBe(41);
    expect(lines[0]).toMatch(/^child: pid \d+, thread-local 42, zeros 0, umask \d+$/);
    const elf = readElf(program.bytes);
    const headers = `${elf.programHeaders.length} at ${(elf.programHeaderOffset + 0x400000).toString(16)}`;
    expect(lines[1]).toBe(`child: entry ${elf.entry.toString(16)}, headers ${headers}, loader there`);
    const argv = lines.filter((line) => line.startsWith("child: argument"));
    expect(argv).toEqual([packed, "a b", "", "é"].map((word) => `child: argument ${word}`));
    expect(lines.filter((line) => line.startsWith("child: variable")).sort()).toEqual(
      [...FOR_THE_RUNTIME, "LEVAIN_X=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "STATUS=41"].map(
        (word) => `child: variable ${word}`,
      ),
    );
    expect(lines.filter((line) => line.includes("descriptor 198"))).toEqual([]);
  });

  test("hides from the runtime the variables that are meant for other programs", () => {
    const environment = {
      ...{ BUN_BE_BUN: "1", GOOD: "1", BUN_OPTIONS: "--print 1", NODE_OPTIONS: "--require x", NODE_CHANNEL_FD: "x" },
      ...{ LD_PRELOAD: "/none.so", LD_TRACE_LOADED_OBJECTS: "1", GLIBC_TUNABLES: "glibc.malloc.check=3" },
      ...{ JavaScriptCoreUseJIT: "0", MIMALLOC_DISALLOW_OS_ALLOC: "1", mimalloc_verbose: "1", MALLOC_PERTURB_: "9" },
    };
    const { status, lines } = run([packed, "word"], environment);
    expect(status).toBe(0);
    expect(lines.filter((line) => line.startsWith("child: variable")).sort()).toEqual(
      [...FOR_THE_RUNTIME, "GOOD=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"].map((word) => `child: variable ${word}`),
    );
    expect(lines[1]).toContain("loader there");
  });

  test("gets very many arguments, and still no variable of the runtime", () => {
    const words = Array.from({ length: 20_000 }, (_, index) => `word ${index}`);
    const { status, lines } = run([packed, ...words], { BUN_BE_BUN: "1", GOOD: "1" });
    expect(status).toBe(0);
    expect(lines.filter((line) => line.startsWith("child: argument")).slice(1)).toEqual(
      words.map((word) => `child: argument ${word}`),
    );
    expect(lines.filter((line) => line.startsWith("child: variable")).sort()).toEqual(
      ["GOOD=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"].map((word) => `child: variable ${word}`),
    );
    expect(lines[1]).toContain("loader there");
  });

  test("runs with few descriptors allowed, and with the parent's descriptors at the numbers of the libraries", () => {
    const few = run(["sh", "-c", 'ulimit -n 10; exec "$0"', packed]);
    expect(few).toMatchObject({ status: 0, errors: "" });
    const many = run(["bash", "-c", 'exec 3</dev/null 5</dev/zero 200</dev/null; exec "$0"', packed]);
    expect(many.status).toBe(0);
    expect(many.lines).toContain("child: descriptor 200 /dev/null");
    expect(many.lines).toContain("child: descriptor 5 /dev/zero");
  });

  test("is an ordinary program as the first process of a container, too", () => {
    const container = run(["unshare", "--pid", "--fork", "--mount-proc", packed], { STATUS: "3" });
    expect(container.lines[0]).toStartWith("child: pid 1,");
    expect(container.status).toBe(3);
    expect(container.lines.join()).not.toContain("LEVAIN_HANDOVER_FD");
  });

  test("says what it needs without /proc", () => {
    const root = scratchDirectory();
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, "program"), readFileSync(packed));
    chmodSync(join(root, "program"), 0o755);
    const bare = run(["chroot", root, "/program"]);
    expect(bare).toMatchObject({ status: 126, errors: "levain: /proc is needed: mount -t proc proc /proc\n" });
  });
});

describe("pack", () => {
  test("gives the same bytes for the same input, and keeps the program's own", async () => {
    const path = await compileProgram("stage0-child.c");
    const once = packFile(path);
    // That one has the stage0 of the cache.
    expect(Buffer.from(once).equals(readFileSync(packed))).toBeTrue();
    const original = readFileSync(path);
    const differing = original.reduce((count, byte, index) => count + (byte === once[index] ? 0 : 1), 0);
    // e_entry, e_phoff, e_phnum; DT_NEEDED, DT_STRTAB, DT_STRSZ, and one vn_file.
    expect(differing).toBeLessThan(40);
    expect(readFileSync(path).equals(original)).toBeTrue();
  });

  test("puts stage0 after the program's memory, bss included", () => {
    const end = Math.max(...readElf(program.bytes).programHeaders.map((header) => header.address + header.memorySize));
    expect(linkedAt).toBeGreaterThan(end);
    const loads = readElf(readFileSync(packed)).programHeaders.filter((header) => header.type === PT.LOAD);
    for (const [index, load] of loads.entries()) {
      expect(load.address % 4096).toBe(load.offset % 4096);
      const before = loads[index - 1];
      if (before) expect(load.address).toBeGreaterThanOrEqual(before.address + before.memorySize);
    }
  });

  test.each([
    ["another class", () => packChanged({ 4: 0x00010101 }), "not a supported ELF file|32-bit"],
    [
      "another machine",
      () => packChanged({ 16: 2 | (3 << 16) }),
      "stage0 does not support its machine \\(e_machine 3\\)",
    ],
    ["a position-independent one", () => packChanged({ 16: 3 | (62 << 16) }), "position-independent"],
    ["an object file", () => packChanged({ 16: 1 | (62 << 16) }), 'it is of the type "relocatable"'],
    ["no PT_INTERP", () => packChanged({ [programHeader(PT.INTERP)]: 4 }), "statically linked \\(no PT_INTERP\\)"],
    [
      "an unknown program header",
      () => packChanged({ [programHeader(PT.GNU_STACK)]: 0x60000123 }),
      "unknown type 0x60000123",
    ],
    ["no string table", () => packChanged({ [dynamicEntry(5)]: 0x15 }), "no string table"],
    ["no string table size", () => packChanged({ [dynamicEntry(10)]: 0x15 }), "no string table"],
    ["two string tables", () => packChanged({ [dynamicEntry(0x6ffffff0)]: 5 }), "not exactly one string table"],
    ["no library", () => packChanged({ [dynamicEntry(1)]: 0x15 }), "names no library \\(DT_NEEDED\\)"],
    ["versions without their number", () => packChanged({ [dynamicEntry(0x6fffffff)]: 0x15 }), "about versions"],
    ["too many versions", () => packChanged({ [dynamicEntry(0x6fffffff) + 8]: 9 }), "ends too early"],
    [
      "versions elsewhere",
      () => packChanged({ [dynamicEntry(0x6ffffffe) + 8]: 0x7fffffff }),
      "no segment contains the address",
    ],
    ["overlapping segments", () => packChanged({ [programHeader(PT.LOAD, 1) + 16]: 0x400010 }), "its segments overlap"],
    [
      "a segment after the file",
      () => packChanged({ [programHeader(PT.LOAD, 1) + 8]: 0x7000000 }),
      "ends after the file",
    ],
    [
      "a larger segment in the file",
      () => packChanged({ [programHeader(PT.LOAD, 0) + 32]: 0x1100 }),
      "larger in the file|ends after",
    ],
    ["no segment around the headers", () => packChanged({ [programHeader(PT.LOAD, 0)]: 4 }), "no segment contains"],
  ])("refuses %s", (_, attempt, reason) => {
    expect(attempt).toThrow(BootError);
    expect(attempt).toThrow(new RegExp(reason));
  });

  test("refuses a packed or static program, or a script", () => {
    const link = () => linked;
    const attempt = (name: string, bytes: Uint8Array) => () =>
      pack({ program: { name, bytes }, loader, libraries: [libc] }, link);
    expect(attempt("levain", readFileSync(packed))).toThrow("levain cannot be packed: it is packed already");
    expect(attempt("busybox", readFileSync(BUSYBOX))).toThrow("statically linked");
    expect(attempt("ls", readFileSync("/bin/ls"))).toThrow("position-independent");
    expect(attempt("script", Buffer.from("#!/bin/sh\n"))).toThrow("script is not a supported ELF file");
  });

  test("refuses another loader than glibc's", () => {
    const bytes = Buffer.from(program.bytes);
    bytes.write("/lib/ld-musl-x86_64.so.1\0\0", bytes.indexOf("/lib64/ld-linux-x86-64.so.2"), "latin1");
    const attempt = () => pack({ program: { name: "program", bytes }, loader, libraries: [libc] }, () => linked);
    expect(attempt).toThrow("it asks for the loader /lib/ld-musl-x86_64.so.1, not for glibc's ld-linux-x86-64.so.2");
  });

  test("refuses libraries that do not match", () => {
    const attempt =
      (libraries: readonly NamedFile[], otherLoader = loader) =>
      () =>
        pack({ program, loader: otherLoader, libraries }, () => linked);
    expect(attempt([])).toThrow("program cannot be packed: it needs libc.so.6, which is not among the given libraries");
    expect(attempt([{ ...libm, name: "libc.so.6" }])).toThrow("libc.so.6 cannot be packed: its soname is libm.so.6");
    expect(attempt([{ name: "libc.so.6", bytes: program.bytes }])).toThrow("it is not a shared library");
    expect(attempt([libc], { ...loader, name: "ld.so" })).toThrow("the loader must be ld-linux-x86-64.so.2");
    const needy = Buffer.from(
      Buffer.from(libc.bytes).toString("latin1").replaceAll(LOADER, "ld-linux-x86-64.so.9"),
      "latin1",
    );
    expect(attempt([{ name: "libc.so.6", bytes: needy }])).toThrow(
      "libc.so.6 cannot be packed: it needs ld-linux-x86-64.so.9",
    );
    const foreign = Buffer.from(libc.bytes);
    foreign.writeUInt16LE(183, 18);
    expect(attempt([{ name: "libc.so.6", bytes: foreign }])).toThrow(
      "its machine (e_machine 183) is not the program's",
    );
  });

  test("refuses a stage0 that was linked elsewhere", () => {
    const attempt = () =>
      pack({ program, loader, libraries: [libc] }, (target) =>
        linkOnce(target, 0x10000000, { config: 0x10010000, store: null }),
      );
    expect(attempt).toThrow("does not consist of one read-only segment");
  });

  test("packs or refuses any input", () => {
    const change = fc.tuple(fc.oneof(fc.nat(0x400), fc.integer({ min: 0x2d00, max: 0x3100 })), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(program.bytes);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          pack({ program: { name: "program", bytes }, loader, libraries: [libc] }, () => linked);
        } catch (error) {
          expect(error).toBeInstanceOf(BootError);
        }
      }),
      // A segment far beyond what any machine can address.
      {
        numRuns: 150,
        examples: [
          [
            [
              [367, 16],
              [11520, 0],
            ],
          ],
        ],
      },
    );
  });
});

import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import { createMemory, PAGE } from "../../../../build/stage0/paged/memory.ts";
import { STORE_FLAGS } from "../../../../build/stage0/paged/store.ts";
import { isPacked, isPaged, loads, PT, readElf } from "../../../../src/desk/program/elf.ts";
import {
  canPage,
  packPagedChild,
  pagedChildProgram,
  storeOffset,
  writeProgram,
} from "../../../support/paged-program.ts";

const isHot = (page: number) => page % 7 === 0 || page % 7 === 2;
let packed = Buffer.alloc(0);
beforeAll(async () => {
  packed = Buffer.from(await packPagedChild({ isHot }));
});

/** Offsets of `struct store` in pager.h. */
const HEADER = { fileOffset: 8, size: 16, firstPage: 24, largest: 28, regions: 32, groups: 36, runs: 40, mapped: 44 };
const TABLES = { groups: 48, runs: 52, mapped: 56, region: 64 };

/** The store as its format says, without the encoder. */
function readStore(file: Buffer) {
  const bytes = file.subarray(storeOffset(file));
  const number = (at: number) => bytes.readUInt32LE(at);
  const table = (at: number, count: number, width: number) =>
    Array.from({ length: count }, (_, row) =>
      Array.from({ length: width }, (_, i) => number(at + (row * width + i) * 4)),
    );
  return {
    bytes,
    firstPage: number(HEADER.firstPage),
    groups: table(number(TABLES.groups), number(HEADER.groups), 4),
    runs: table(number(TABLES.runs), number(HEADER.runs), 2),
    mapped: table(number(TABLES.mapped), number(HEADER.mapped), 3),
  };
}

/** Undoes the filter of code: the place that a call or a jump leads to becomes the distance again. */
function decodeCode(content: Buffer, at: number, store: Buffer): Buffer {
  const regions = [0, 1, 2, 3].slice(0, store.readUInt32LE(HEADER.regions)).map((index) => {
    const word = (i: number) => Number(store.readBigUInt64LE(TABLES.region + index * 32 + i * 8));
    return { address: word(0), memoryEnd: word(2), protection: word(3) };
  });
  const low = regions[0]?.address ?? 0;
  const size = (regions.at(-1)?.memoryEnd ?? 0) - low;
  const region = regions.findLast(({ address }) => address <= low + at);
  const bytes = Buffer.from(content);
  if (region?.protection !== 5) return bytes;
  for (let i = 0; i + 5 <= bytes.length; i++) {
    if (bytes[i] !== 0xe8 && bytes[i] !== 0xe9) continue;
    const next = at + i + 5;
    const value = bytes.readInt32BE(i + 1);
    const change = value < 0 ? size : -next;
    bytes.writeInt32LE(-next <= value && value < size ? value + change : value, i + 1);
    i += 4;
  }
  return bytes;
}

/** Puts all pages together again, by page number. */
function unpackStore(file: Buffer): Map<number, Buffer> {
  const { bytes, firstPage, groups, runs, mapped } = readStore(file);
  const pages = new Map<number, Buffer>();
  const put = (first: number, count: number, content: Buffer) => {
    for (let i = 0; i < count; i++) {
      expect(pages.has(firstPage + first + i)).toBeFalse();
      pages.set(firstPage + first + i, content.subarray(i * PAGE, (i + 1) * PAGE));
    }
  };
  for (const [offset = 0, size = 0, firstRun = 0, runCount = 0] of groups) {
    let content = zstdDecompressSync(bytes.subarray(offset, offset + size));
    for (const [page = 0, count = 0] of runs.slice(firstRun, firstRun + runCount)) {
      put(page, count, decodeCode(content.subarray(0, count * PAGE), page * PAGE, bytes));
      content = content.subarray(count * PAGE);
    }
  }
  for (const [page = 0, count = 0, offset = 0] of mapped) {
    put(page, count, offset === 0 ? Buffer.alloc(count * PAGE) : bytes.subarray(offset, offset + count * PAGE));
  }
  return pages;
}

describe("the store of a paged program", () => {
  test("has exactly the memory of the program, but for the names of its libraries", async () => {
    const program = readFileSync(await pagedChildProgram());
    const memory = createMemory(program, readElf(program));
    const pages = unpackStore(packed);
    let different = 0;
    let count = 0;
    for (const { address, fileEnd } of memory.regions) {
      for (let page = address / PAGE; page < fileEnd / PAGE; page++) {
        count++;
        if (!pages.get(page)?.equals(memory.read(page, 1))) different++;
      }
    }
    expect(count).toBe(pages.size);
    // The pages of .dynamic and of .gnu.version_r.
    expect(different).toBe(2);
  });

  test("is in a static executable that has no other memory of the program, and none to write and execute", () => {
    const elf = readElf(packed);
    expect([isPacked(packed, elf), isPaged(packed, elf), elf.interpreter, elf.type]).toEqual([
      true,
      true,
      null,
      "executable",
    ]);
    expect(elf.programHeaders.filter(({ flags }) => (flags & 3) === 3)).toEqual([]);
    expect(elf.programHeaders.filter(({ type }) => type === PT.GNU_STACK)).toHaveLength(1);
    const end = Math.max(...loads(elf).map(({ offset, fileSize }) => offset + fileSize));
    expect(end).toBe(packed.length);
    expect(Math.min(...loads(elf).map(({ address }) => address))).toBeGreaterThan(0x400000 + 1200 * PAGE);
  });

  test("is the same for the same program", async () => {
    expect(packed.equals(await packPagedChild({ isHot }))).toBeTrue();
  });

  test("has the hot pages on pages of the file, as they are", () => {
    const { mapped, firstPage } = readStore(packed);
    const hot = mapped.filter(([, , offset]) => offset !== 0);
    expect(hot.length).toBeGreaterThan(50);
    expect(hot.filter(([, , offset = 1]) => (storeOffset(packed) + offset) % PAGE !== 0)).toEqual([]);
    expect(hot.filter(([page = 0]) => !isHot(firstPage + page))).toEqual([]);
  });
});

/** Runs the program with a 32-bit number of its store changed. */
function runChanged(at: number, value: number, flags: number = STORE_FLAGS.none) {
  const file = Buffer.from(packed);
  file.writeUInt32LE(flags, storeOffset(file) + 20);
  file.writeUInt32LE(value, storeOffset(file) + at);
  const child = Bun.spawnSync([writeProgram(file), "eager"], { stdout: "pipe", stderr: "pipe", timeout: 20_000 });
  return {
    status: child.exitCode,
    signal: child.signalCode,
    said: child.stderr.toString(),
    output: child.stdout.toString(),
  };
}

describe("a damaged store", () => {
  const TABLES_DAMAGED = "levain: the runtime's tables are damaged: ";
  test.each([
    ["magic number", 0, 0, "no magic number"],
    ["file offset", HEADER.fileOffset, 100, "a table is outside the store"],
    ["number of segments", HEADER.regions, 5, "a segment is invalid"],
    ["number of segments, none", HEADER.regions, 0, "a segment is invalid"],
    ["address of a segment", TABLES.region, 1, "a segment is invalid"],
    ["end of a segment", TABLES.region + 16, 0x7000_0000, "a segment is invalid"],
    ["protection of a segment", TABLES.region + 24, 7, "a segment is invalid"],
    ["number of groups", HEADER.groups, 0xffff_ffff, "a table is outside the store"],
    ["number of groups, one less", HEADER.groups, 1, "a group is invalid"],
    ["number of runs", HEADER.runs, 0xffff_ffff, "a table is outside the store"],
    ["number of mapped runs", HEADER.mapped, 1, "a page is missing or twice there"],
    ["largest group", HEADER.largest, PAGE, "a group is invalid"],
    ["largest group, a huge one", HEADER.largest, 0xffff_f000, "a group is invalid"],
    ["place of the groups", TABLES.groups, 0xffff_fff0, "a table is outside the store"],
    ["place of the runs", TABLES.runs, 6, "a table is outside the store"],
    ["place of the mapped runs", TABLES.mapped, 0, "a table is outside the store"],
  ])("is refused before it is used: %s", (_, at, value, why) => {
    const { status, said, output } = runChanged(at, value);
    expect({ status, said, output }).toEqual({ status: 127, said: `${TABLES_DAMAGED}${why}\n`, output: "" });
  });

  test.each([
    ["group", "groups", 4, "a group is invalid"],
    ["run", "runs", 0, "a page is missing or twice there"],
    ["mapped run", "mapped", 0, "a page is missing or twice there"],
  ] as const)("is refused before it is used: a row of a %s", (_, table, at, why) => {
    const row = readStore(packed).bytes.readUInt32LE(TABLES[table]);
    expect(runChanged(row + at, 0xffff_fff0).said).toBe(`${TABLES_DAMAGED}${why}\n`);
  });

  test.skipIf(!canPage)("ends the program when a damaged group is touched", () => {
    const { groups } = readStore(packed);
    // One of the constants, which the program touches late.
    const index = Math.floor(groups.length / 3);
    const [offset = 0, size = 0] = groups[index] ?? [];
    const { signal, said } = runChanged(offset + (size >> 1), 0x1234_5678);
    expect(signal).toBe("SIGKILL");
    expect(said).toBe(`levain: a compressed part of the runtime is damaged (checksum): group ${index}\n`);
  });

  test("ends a program that is unpacked at its start", () => {
    const [offset = 0, size = 0] = readStore(packed).groups.at(-2) ?? [];
    const { status, said, output } = runChanged(offset + size - 4, 0x1234_5678, STORE_FLAGS.eager);
    expect({ status, said, output }).toEqual({
      status: 127,
      said: "levain: a compressed part of the runtime is damaged (checksum)\n",
      output: "",
    });
  });

  test("whose group has another size is damaged", () => {
    const { bytes, groups } = readStore(packed);
    const row = bytes.readUInt32LE(TABLES.groups) + (groups.length - 2) * 16;
    const [, size = 0] = groups.at(-2) ?? [];
    for (const other of [size - 1, size + 1, 16]) {
      expect(runChanged(row + 4, other, STORE_FLAGS.eager).said).toContain("damaged (checksum)");
    }
  });
});

import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import { readParts } from "../../../../build/site.ts";
import { linkStage0 } from "../../../../build/stage0/link.ts";
import { createMemory, PAGE } from "../../../../build/stage0/paged/memory.ts";
import { STORE_FLAGS } from "../../../../build/stage0/paged/store.ts";
import { isPacked, isPaged, loads, PT, readElf } from "../../../../src/desk/program/elf.ts";
import { unpackLz4 } from "../../../support/lz4-frame.ts";
import {
  canPage,
  packPagedChild,
  pagedChildProgram,
  pageSets,
  storeOffset,
  writeProgram,
} from "../../../support/paged-program.ts";

const DAMAGED = `levain: a compressed part of the runtime is damaged (checksum)
levain: hint: the image is damaged, or the machine's memory: write the image again, and test the memory
`;
const FIRST_PAGE = 0x400;
/** Of the program alone: the libraries behind it have sets of their own. */
const every = (step: number, from: number) =>
  new Set(Array.from({ length: 1200 / step }, (_, index) => FIRST_PAGE + from + index * step));
/** The second has pages of the first. */
const sets = pageSets(every(7, 0), every(21, 7), every(9, 2));
let packed = Buffer.alloc(0);
beforeAll(async () => {
  packed = Buffer.from(await packPagedChild({ sets }));
});

/** Offsets of `struct store` in pager.h. */
const HEADER = { size: 8, flags: 12, firstPage: 16, most: 20, regions: 24, groups: 28, runs: 32 };
const TABLES = { groups: 36, runs: 40, region: 48 };
const ROW = 16;
const NONE = 0xffff_ffff;
const PLAIN = 0xffff_fffe;

/** The store as its format says, without the encoder. */
function readStore(file: Buffer) {
  const bytes = file.subarray(storeOffset(file));
  const number = (at: number) => bytes.readUInt32LE(at);
  const table = (at: number, count: number) =>
    Array.from({ length: count }, (_, row) => [0, 1, 2, 3].map((i) => number(at + row * ROW + i * 4)));
  return {
    bytes,
    firstPage: number(HEADER.firstPage),
    groups: table(number(TABLES.groups), number(HEADER.groups)),
    runs: table(number(TABLES.runs), number(HEADER.runs)),
  };
}

function regionsOf(store: Buffer) {
  return Array.from({ length: store.readUInt32LE(HEADER.regions) }, (_, index) => {
    const word = (i: number) => Number(store.readBigUInt64LE(TABLES.region + index * 32 + i * 8));
    return { address: word(0), memoryEnd: word(2), protection: word(3) };
  });
}

/** Undoes the filter of code: the place that a call or a jump leads to becomes the distance again. */
function decodeCode(content: Buffer, at: number, store: Buffer): Buffer {
  const regions = regionsOf(store);
  const low = regions[0]?.address ?? 0;
  const size = (regions.findLast(({ protection }) => protection === 5)?.memoryEnd ?? 0) - low;
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
  const { bytes, firstPage, groups, runs } = readStore(file);
  const contents = groups.map(([offset = 0, size = 0, , step]) => {
    const stored = bytes.subarray(offset, offset + size);
    if (step === PLAIN) return { bytes: stored, isFiltered: false };
    const unpacked = unpackLz4(stored);
    return { bytes: unpacked ?? zstdDecompressSync(stored), isFiltered: unpacked === null };
  });
  expect(contents.map(({ bytes: { length } }) => length / PAGE)).toEqual(groups.map(([, , pages = 0]) => pages));
  const pages = new Map<number, Buffer>();
  for (const [page = 0, count = 0, group = 0, before = 0] of runs) {
    const stored = contents[group]?.bytes.subarray(before * PAGE, (before + count) * PAGE);
    const isFiltered = contents[group]?.isFiltered;
    const decode = (content: Buffer) => (isFiltered ? decodeCode(content, page * PAGE, bytes) : content);
    const content = stored === undefined ? Buffer.alloc(count * PAGE) : decode(stored);
    expect(content.length).toBe(count * PAGE);
    for (let i = 0; i < count; i++) {
      expect(pages.has(firstPage + page + i)).toBeFalse();
      pages.set(firstPage + page + i, content.subarray(i * PAGE, (i + 1) * PAGE));
    }
  }
  return pages;
}

describe("the store of a paged program", () => {
  test("has exactly the memory of the program, but for the names of its libraries, and the libraries", async () => {
    const program = readFileSync(await pagedChildProgram());
    const memory = createMemory(program, readElf(program), { address: 0, bytes: new Uint8Array(0) }, PAGE);
    const pages = unpackStore(packed);
    const [libc] = readParts(await pagedChildProgram()).libraries;
    let different = 0;
    let count = 0;
    for (const { address, fileEnd } of memory.regions) {
      for (let page = address / PAGE; page < fileEnd / PAGE; page++) {
        count++;
        if (!pages.get(page)?.equals(memory.read(page, 1))) different++;
      }
    }
    const shelf = Buffer.concat([...pages].slice(count).map(([, bytes]) => bytes));
    expect(libc?.name).toBe("libc.so.6");
    expect(shelf.subarray(0, libc?.bytes.length).equals(Buffer.from(libc?.bytes ?? []))).toBeTrue();
    expect(shelf.length - (libc?.bytes.length ?? 0)).toBeLessThan(PAGE);
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
    // Made without what the cache has.
    expect(packed.equals(await packPagedChild({ sets, cache: null, link: linkStage0 }))).toBeTrue();
  });

  test("has plain code and variables for every boot, and groups for its constants, the libraries and another set", () => {
    const { runs, groups, firstPage } = readStore(packed);
    const regions = regionsOf(packed.subarray(storeOffset(packed)));
    const pagesOf = (wanted: number) =>
      runs.flatMap(([page = 0, count = 0, group = 0]) =>
        groups[group]?.[3] === wanted ? Array.from({ length: count }, (_, i) => firstPage + page + i) : [],
      );
    const isConstant = (page: number) => regions.findLast(({ address }) => address <= page * PAGE)?.protection === 1;
    const [shelf = 0] = regions.map(({ address }) => address / PAGE).slice(-1);
    const steps = groups.map(([, , , step]) => step);
    const whole = steps.lastIndexOf(NONE);
    expect(steps).toEqual([
      PLAIN,
      ...steps.slice(1, whole + 1).map(() => NONE),
      ...steps.slice(whole + 1).map(() => 32),
    ]);
    expect(pagesOf(PLAIN).length).toBeGreaterThan(20);
    expect(pagesOf(PLAIN).filter((page) => !sets[0]?.pages.has(page) || isConstant(page))).toEqual([]);
    expect(pagesOf(NONE).filter((page) => page >= shelf).length).toBeGreaterThan(300);
    const others = pagesOf(NONE).filter((page) => page < shelf);
    expect(others.length).toBeGreaterThan(50);
    const isRight = (page: number) => (sets[0]?.pages.has(page) ? isConstant(page) : sets[2]?.pages.has(page));
    expect(others.filter((page) => !isRight(page))).toEqual([]);
  });
});

/** Runs the program with a 32-bit number of its store changed. */
function runChanged(at: number, value: number, flags: number = STORE_FLAGS.none) {
  const file = Buffer.from(packed);
  file.writeUInt32LE(flags, storeOffset(file) + HEADER.flags);
  file.writeUInt32LE(value, storeOffset(file) + at);
  const child = Bun.spawnSync([writeProgram(file), "eager"], { stdout: "pipe", stderr: "pipe", timeout: 120_000 });
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
    ["number of segments", HEADER.regions, 7, "a segment is invalid"],
    ["number of segments, none", HEADER.regions, 0, "a segment is invalid"],
    ["address of a segment", TABLES.region, 1, "a segment is invalid"],
    ["end of a segment", TABLES.region + 16, 0x7000_0000, "a segment is invalid"],
    ["protection of a segment", TABLES.region + 24, 7, "a segment is invalid"],
    ["number of groups", HEADER.groups, 0xffff_ffff, "a table is outside the store"],
    ["number of groups, one less", HEADER.groups, 1, "a page is missing or twice there"],
    ["number of runs", HEADER.runs, 0xffff_ffff, "a table is outside the store"],
    ["number of runs, one less", HEADER.runs, 1, "a page is missing or twice there"],
    ["largest group", HEADER.most, 1, "a group is invalid"],
    ["largest group, a huge one", HEADER.most, 0xffff_f000, "a group is invalid"],
    ["place of the groups", TABLES.groups, 0xffff_fff0, "a table is outside the store"],
    ["place of the runs", TABLES.runs, 6, "a table is outside the store"],
  ])("is refused before it is used: %s", (_, at, value, why) => {
    const { status, said, output } = runChanged(at, value);
    expect({ status, said, output }).toEqual({ status: 127, said: `${TABLES_DAMAGED}${why}\n`, output: "" });
  });

  test.each([
    ["a group, its place", "groups", 0, 0xffff_fff0, "a group is invalid"],
    ["a group, its size", "groups", 4, 0xffff_fff0, "a group is invalid"],
    ["a plain group, its size", "groups", 4, PAGE, "a group is invalid"],
    ["a plain group, its place", "groups", 0, 2 * PAGE + 4, "a group is invalid"],
    ["a group, its pages", "groups", 8, 0xffff_fff0, "a group is invalid"],
    ["a group, no pages", "groups", 8, 0, "a group is invalid"],
    ["a group, its step", "groups", 12, 0, "a group is invalid"],
    ["a run, its page", "runs", 0, 0xffff_fff0, "a page is missing or twice there"],
    ["a run, its length", "runs", 4, 0, "a page is missing or twice there"],
    ["a run, its group", "runs", 8, 0xffff_fff0, "a page is missing or twice there"],
    ["a run, its place in the group", "runs", 12, 0xffff_fff0, "a page is missing or twice there"],
  ] as const)("is refused before it is used: a row of %s", (_, table, at, value, why) => {
    const row = readStore(packed).bytes.readUInt32LE(TABLES[table]);
    expect(runChanged(row + at, value).said).toBe(`${TABLES_DAMAGED}${why}\n`);
  });

  test.skipIf(!canPage)("ends the program when a damaged group is touched", () => {
    const { groups } = readStore(packed);
    // The constants or the variables, which the program touches late.
    const index = groups.findIndex(([, , pages = 0, step]) => step === 32 && pages > 200);
    const [offset = 0, size = 0] = groups[index] ?? [];
    const { signal, said } = runChanged(offset + (size >> 1), 0x1234_5678);
    expect(signal).toBe("SIGKILL");
    expect(said).toBe(`levain: a compressed part of the runtime is damaged (checksum): group ${index}\n`);
  });

  test.skipIf(!canPage)("that ends too early ends in SIGBUS before the program starts", async () => {
    for (const file of [packed, Buffer.from(await packPagedChild())]) {
      const path = writeProgram(file.subarray(0, storeOffset(file) + 3 * PAGE));
      const child = Bun.spawnSync([path], { stdout: "pipe", stderr: "pipe", timeout: 120_000 });
      expect([child.signalCode, child.stdout.toString(), child.stderr.toString()]).toEqual(["SIGBUS", "", ""]);
    }
  });

  test("ends a program that is unpacked at its start", () => {
    const [offset = 0, size = 0] = readStore(packed).groups.at(-2) ?? [];
    const { status, said, output } = runChanged(offset + size - 4, 0x1234_5678, STORE_FLAGS.eager);
    expect({ status, said, output }).toEqual({
      status: 127,
      said: DAMAGED,
      output: "",
    });
  });

  test("is refused before it is used: a group that is larger than its pages", () => {
    const row =
      readStore(packed).bytes.readUInt32LE(TABLES.groups) +
      readStore(packed).groups.findIndex(([, size = 0, , step]) => step !== PLAIN && size > 3 * PAGE) * ROW;
    expect(runChanged(row + 8, 1).said).toBe(`${TABLES_DAMAGED}a group is invalid\n`);
  });

  test("ends a program that is unpacked at its start, also if the checksum of a crafted group of LZ4 is right", () => {
    const { groups, bytes } = readStore(packed);
    const isLz4 = ([offset = 0, size = 0]: readonly number[]) =>
      unpackLz4(bytes.subarray(offset, offset + size)) !== null;
    const [offset = 0, size = 0] = groups.find((group) => group[3] === NONE && isLz4(group)) ?? [];
    // A match before the beginning, literals behind the end, a match without an end, and too little.
    for (const block of ["0fffff", "f0ffffffff", "1f410100ffffffffffffffffffff", "104100"]) {
      const crafted = Buffer.from(packed);
      const at = storeOffset(crafted) + offset;
      const content = crafted.subarray(at + 16, at + size);
      content.fill(255);
      content.write(block, "hex");
      crafted.writeBigUInt64LE(Bun.hash.xxHash64(content), at + 8);
      crafted.writeUInt32LE(STORE_FLAGS.eager, storeOffset(crafted) + HEADER.flags);
      const child = Bun.spawnSync([writeProgram(crafted), "eager"], { stderr: "pipe", timeout: 120_000 });
      expect([child.exitCode, child.stderr.toString()]).toEqual([127, DAMAGED]);
    }
  });

  test("ends a program before it starts if a library is damaged, whose groups are of LZ4", () => {
    const { groups, bytes } = readStore(packed);
    const isLz4 = ([offset = 0, size = 0]: readonly number[]) =>
      unpackLz4(bytes.subarray(offset, offset + size)) !== null;
    const [offset = 0, size = 0] = groups.findLast((group) => group[3] === NONE && isLz4(group)) ?? [];
    for (const flags of [STORE_FLAGS.eager, STORE_FLAGS.none]) {
      for (const at of [8, 16, size >> 1, size - 4]) {
        const { status, said } = runChanged(offset + at, 0x1234_5678, flags);
        expect({ status, said }).toEqual({
          status: 127,
          said: DAMAGED,
        });
      }
    }
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

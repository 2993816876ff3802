import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatHotPages, identifyRuntime, mergeSets, readHotPages } from "../../../../build/stage0/paged/hot-pages.ts";
import { loads, readElf } from "../../../../src/desk/program/elf.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { pageSets } from "../../../support/paged-program.ts";

const RUNTIME = { version: "1.2.3", code: "ab".repeat(32) };
const LIST = join(import.meta.dir, "../../../../build/stage0/paged/hot-pages.txt");

function refusal(action: () => unknown): BootError | null {
  try {
    action();
  } catch (error) {
    if (error instanceof BootError) return error;
    throw error;
  }
  return null;
}

describe("the list of hot pages", () => {
  test("is read as it was written", () => {
    const plain = new Set([0x300, 0x200, 0x201, 0x202, 0x6a21]);
    const live = new Set([0x203]);
    const sets = pageSets(plain, live).map((set, index) => ({ ...set, isFollowing: index === 1 }));
    const text = formatHotPages(new Map(sets.map((set, index) => [["plain", "live"][index] ?? "", set])), RUNTIME);
    const lines = text.split("\n").filter((line) => /^((set|then) .*|[0-9a-f-]+)$/.test(line));
    expect(lines).toEqual(["set plain", "200-202", "300", "6a21", "then live", "203"]);
    expect(readHotPages(text, RUNTIME)).toEqual(
      sets.map((set, index) => ({ ...set, name: ["plain", "live"][index] ?? "" })),
    );
  });

  test("gets what was recorded besides, each page in the first set that has it", () => {
    const set = (...pages: readonly number[]) => ({ pages: new Set(pages), isFollowing: false });
    const present = [
      { ...set(1, 2), name: "plain" },
      { ...set(3), name: "unlock", isFollowing: true },
    ];
    const merged = mergeSets(present, new Map(Object.entries({ verified: set(2, 3, 5), plain: set(1, 4) })));
    expect([...merged]).toEqual([
      ["plain", set(1, 2, 4)],
      ["unlock", { ...set(3), isFollowing: true }],
      ["verified", set(5)],
    ]);
    expect(mergeSets([], new Map([["plain", set(7)]]))).toEqual(new Map([["plain", set(7)]]));
  });

  test.each([
    ["version", { ...RUNTIME, version: "1.2.4" }],
    ["code", { ...RUNTIME, code: "cd".repeat(32) }],
  ])("of a runtime with another %s is refused", (_, other) => {
    const error = refusal(() => readHotPages(formatHotPages(new Map(), RUNTIME), other));
    expect(error?.message).toBe("the list of the runtime's hot pages is for another runtime");
    expect(error?.hints.map(({ text }) => text)).toEqual(["record it again: bun bench/hot-pages.ts"]);
    expect(error?.seen).toHaveLength(2);
  });

  test.each(["xyz", "20-", "200-300-400", "-5", "set", "20", "set plain\n-"])("with %j is refused", (lines) => {
    const text = `${formatHotPages(new Map(), RUNTIME)}${lines}\n`;
    const line = lines.split("\n").at(-1);
    expect(refusal(() => readHotPages(text, RUNTIME))?.message).toContain(`has an invalid line: ${line}`);
  });

  test("that is checked in is of the Bun in node_modules, and of pages that it has", () => {
    const program = readFileSync(process.execPath);
    const elf = readElf(program);
    const sets = readHotPages(readFileSync(LIST, "utf8"), identifyRuntime(program, elf, Bun.version));
    const pages = sets.flatMap(({ pages }) => [...pages]);
    expect(pages.length).toBeGreaterThan(1000);
    expect(new Set(pages).size).toBe(pages.length);
    const isInside = (page: number) =>
      loads(elf).some(({ address, memorySize }) => page * 4096 < address + memorySize && (page + 1) * 4096 > address);
    expect(pages.filter((page) => !isInside(page))).toEqual([]);
  });

  test("depends on the code and where it is, not on the data", () => {
    const program = Buffer.from(readFileSync("/bin/true"));
    const elf = readElf(program);
    const before = identifyRuntime(program, elf, "1").code;
    const code = loads(elf).find(({ flags }) => (flags & 1) === 1);
    const data = loads(elf).find(({ flags }) => (flags & 1) === 0);
    if (code === undefined || data === undefined) throw new Error("no segments");
    program.writeUInt8(program.readUInt8(data.offset + 100) ^ 1, data.offset + 100);
    expect(identifyRuntime(program, elf, "1").code).toBe(before);
    program.writeUInt8(program.readUInt8(code.offset + 100) ^ 1, code.offset + 100);
    expect(identifyRuntime(program, elf, "1").code).not.toBe(before);
  });
});

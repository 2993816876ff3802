import { describe, expect, test } from "bun:test";
import { PAGE, type ProgramMemory } from "../../../../build/stage0/paged/memory.ts";
import { planPages, type Run } from "../../../../build/stage0/paged/plan.ts";
import { pageSets } from "../../../support/paged-program.ts";

const WHOLE = 0xffff_ffff;
const PLAIN = 0xffff_fffe;
const FOLLOWING = 0xffff_fffd;

/** Two regions of 100 and 300 pages, of constants and of code; the pages of `zeros` are zero. */
function memory(zeros: ReadonlySet<number> = new Set()): ProgramMemory {
  const region = (page: number, count: number, protection: number) => {
    const address = page * PAGE;
    return { address, fileEnd: address + count * PAGE, memoryEnd: address + count * PAGE, protection };
  };
  return {
    regions: [region(1000, 100, 1), region(2000, 300, 5)],
    read: (page, count) =>
      Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(PAGE, zeros.has(page + i) ? 0 : 1))),
  };
}

function range(first: number, end: number): Set<number> {
  return new Set(Array.from({ length: end - first }, (_, index) => first + index));
}

const counts = (runs: readonly Run[]) => runs.map(({ page, count }) => [page, count]);

describe("the plan of a program's pages", () => {
  test("has plain code and compressed constants for every boot, a group for each other set, and groups of each region for the rest", () => {
    const sets = pageSets(new Set([1001, 1002, 2000]), new Set([1002, 1050, 9999]));
    const { groups, zeros } = planPages(memory(), sets, 1024);
    expect(groups.map(({ runs, step, codec }) => ({ runs: counts(runs), step, codec }))).toEqual([
      { runs: [[2000, 1]], step: PLAIN, codec: "none" },
      { runs: [[1001, 2]], step: WHOLE, codec: "lz4" },
      { runs: [[1050, 1]], step: WHOLE, codec: "lz4" },
      {
        runs: [
          [1000, 1],
          [1003, 47],
          [1051, 49],
        ],
        step: 32,
        codec: "zstd",
      },
      { runs: [[2001, 256]], step: 32, codec: "zstd" },
      { runs: [[2257, 43]], step: 32, codec: "zstd" },
    ]);
    expect(zeros).toEqual([]);
  });

  test("has smaller groups for what not every boot touches, and marks what follows a prompt", () => {
    const [first, prompt, unlock] = pageSets(new Set([1000]), range(2000, 2010), new Set([1001]));
    if (first === undefined || prompt === undefined || unlock === undefined) throw new Error("no sets");
    const { groups } = planPages(memory(), [first, prompt, { ...unlock, isFollowing: true }], 1024);
    expect(groups.slice(0, 3).map(({ step }) => step)).toEqual([WHOLE, WHOLE, FOLLOWING]);
    expect(groups.slice(0, 3).map(({ codec }) => codec)).toEqual(["lz4", "lz4", "lz4"]);
    const many = planPages(memory(), pageSets(new Set(), range(2000, 2300)), 1024);
    expect(many.groups.slice(0, 2).map(({ runs }) => counts(runs))).toEqual([[[2000, 256]], [[2256, 44]]]);
  });

  test("cuts groups at their greatest size, in the middle of a run if need be", () => {
    const { groups } = planPages(memory(), pageSets(range(2000, 2150)), 100);
    expect(groups.map(({ runs }) => counts(runs))).toEqual([
      [[2000, 100]],
      [[2100, 50]],
      [[1000, 100]],
      [[2150, 100]],
      [[2250, 50]],
    ]);
  });

  test("has small groups for the bundle, in LZ4 where boots read it, whose ends may be within a run", () => {
    const { groups } = planPages(memory(), [], 1024, { first: 2200, end: 2240 });
    const expected: unknown[] = [
      [[1000, 100], "zstd"],
      [[2000, 200], "zstd"],
      [[2200, 32], "lz4"],
      [[2232, 8], "lz4"],
      [[2240, 32], "zstd"],
      [[2272, 28], "zstd"],
    ];
    expect<unknown[]>(groups.map(({ runs, codec }) => [...counts(runs), codec])).toEqual(expected);
  });

  test("stores no long runs of zeros, also if a set has them", () => {
    const zero = new Set([...range(1010, 1026), ...range(2000, 2015)]);
    const { groups, zeros } = planPages(memory(zero), pageSets(new Set([1012])), 1024);
    expect(counts(zeros)).toEqual([[1010, 16]]);
    expect(groups.map(({ runs }) => counts(runs))).toEqual([
      [
        [1000, 10],
        [1026, 74],
      ],
      [[2000, 256]],
      [[2256, 44]],
    ]);
  });
});

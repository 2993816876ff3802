import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackTree } from "../../../../src/desk/inspect/unpack-tree.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { DIRECTORY, type RawMember, rawCpio, SYMLINK } from "../../../support/crafted-cpio.ts";
import { levain } from "../../../support/desk-command.ts";
import { readCpio } from "../../../support/read-cpio.ts";

const TIMEOUT_MS = 120_000;

describe("deep paths", () => {
  const chain = (length: number, name = "a"): readonly RawMember[] =>
    Array.from({ length }, (_, index) => ({
      name: `${`${name}/`.repeat(index)}${name}`,
      mode: DIRECTORY,
    }));
  const tree = (members: readonly RawMember[], lookups?: number) =>
    unpackTree([readCpio(rawCpio(members)).members], lookups);
  let deep = "";

  beforeAll(() => {
    deep = join(scratchDirectory(), "initrd.img");
    writeFileSync(deep, rawCpio(chain(1899)));
  });

  test(
    "of 1899 directories take seconds",
    () => {
      const { status, stdout, cpuSeconds } = levain(["inspect", deep]);
      expect([status, stdout]).toEqual([0, expect.stringContaining("1899")]);
      expect(cpuSeconds).toBeLessThan(10);
      const target = join(scratchDirectory(), "tree");
      const extracted = levain(["extract", deep, target]);
      expect(extracted.stdout).toContain("entries  1899");
      expect(extracted.cpuSeconds).toBeLessThan(10);
      // rmSync, which removes the scratch directory, takes 20 s for these: it starts at the top for each.
      Bun.spawnSync(["rm", "-rf", target]);
    },
    TIMEOUT_MS,
  );

  test(
    "that links make longer than a program can open are left out and named",
    () => {
      const long = chain(22, "a".repeat(99));
      const deepest = long.at(-1)?.name ?? "";
      const { problems } = tree([
        ...long,
        { name: "l", mode: SYMLINK, data: deepest },
        { name: `l/${"b".repeat(255)}/c` },
        ...long.map(({ name }) => ({ name: `l/${name}`, mode: DIRECTORY })),
      ]);
      expect(problems[0]).toContain("its directory does not exist");
      expect(problems[1]).toContain("its resolved path is longer than 4095 bytes");
      expect(problems.every((text) => text.length < 400)).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    "that links lead through again and again are given up",
    () => {
      const long = chain(300);
      const deepest = `/${long.at(-1)?.name}`;
      const way = `l/${new Array(35).fill("m").join("/")}`;
      const links = [
        { name: "l", mode: SYMLINK, data: deepest },
        { name: "l/m", mode: SYMLINK, data: deepest },
      ];
      const files = Array.from({ length: 100 }, (_, index) => ({ name: `${way}/f${index}` }));
      expect(() => tree([...long, ...links, ...files], 600_000)).toThrow("follow more symbolic links");
      expect(tree([...long, ...links, ...files.slice(0, 10)], 600_000).problems).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

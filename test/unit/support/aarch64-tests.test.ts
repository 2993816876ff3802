import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AARCH64_TESTS, chosenTests, X86_FILES } from "../../support/aarch64-tests.ts";

const TESTS = join(import.meta.dir, "../..");
const files = ["vm", "long"].flatMap((directory) =>
  readdirSync(join(TESTS, directory)).map((name) => `${directory}/${name.replace(".test.ts", "")}`),
);
const sourceOf = (file: string) => readFileSync(join(TESTS, `${file}.test.ts`), "utf8");

describe("the table of what runs on AArch64", () => {
  test("has every file of guests once, and no other", () => {
    const others = Object.values(X86_FILES).flatMap(({ vm, long }) => [...namesIn("vm", vm), ...namesIn("long", long)]);
    expect([...Object.keys(AARCH64_TESTS), ...others].sort()).toEqual(files.sort());
  });

  test("names tests that are in their files, each once", () => {
    for (const [file, { test: own = [], long = [] }] of Object.entries(AARCH64_TESTS)) {
      const found = [...own, ...long].map(
        (name) => sourceOf(file).match(new RegExp(`["\`]${quoted(name)}`, "g"))?.length,
      );
      expect([file, found]).toEqual([file, found.map(() => 1)]);
    }
  });

  test("says why other tests of a file do not run there, and only if it has others", () => {
    for (const [file, { test: own = [], long = [], others }] of Object.entries(AARCH64_TESTS)) {
      const count = sourceOf(file).match(/^ *(?:vmTest|test(?:\.concurrent)?|graftTest)\(/gm)?.length ?? 0;
      const hasOthers = count > own.length + long.length;
      expect([file, others !== undefined]).toEqual([file, hasOthers]);
    }
  });

  test("has six for make test, and six more for make long", () => {
    expect(chosenTests("test").names).toHaveLength(6);
    expect(chosenTests("long").names.length).toBeGreaterThanOrEqual(6);
  });
});

const namesIn = (directory: string, names: string) =>
  names
    .split(" ")
    .filter(Boolean)
    .map((name) => `${directory}/${name}`);
const quoted = (text: string) => text.replace(/[.+?^$()[\]{}|\\]/g, "\\$&");

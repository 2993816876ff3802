import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBytecode } from "../../../../build/runtime/bundle.ts";
import { loads, readElf } from "../../../../src/desk/program/elf.ts";
import { scratchDirectory } from "../../../support/cache.ts";

let program = Buffer.alloc(0);
beforeAll(() => {
  const directory = scratchDirectory();
  const file = join(directory, "main.js");
  writeFileSync(file, "console.log('a small program with a bundle');\n");
  const flags = ["--compile", "--bytecode", "--format=esm"];
  const output = join(directory, "program");
  const { exitCode } = Bun.spawnSync([process.execPath, "build", ...flags, file, "--outfile", output]);
  if (exitCode !== 0) throw new Error("bun build failed");
  program = readFileSync(output);
});

/** What the cache of JavaScriptCore begins with after the version: the kind of its entry. */
const KIND = Buffer.from([1, 0, 0, 0, 4, 0, 0, 0]);

describe("the bundle in a program that Bun compiled", () => {
  test("has its bytecode where its table says", () => {
    const elf = readElf(program);
    const { boot: found, others } = findBytecode(program, elf);
    expect([[...found.keys()], others.size]).toEqual([["program"], 0]);
    for (const { start, end } of found.values()) {
      const load = loads(elf).find(({ address, fileSize }) => address <= start && end <= address + fileSize);
      const at = start - (load?.address ?? 0) + (load?.offset ?? 0);
      expect(program.subarray(at + 4, at + 12).equals(KIND)).toBeTrue();
    }
  });

  test("is refused if its format is another one", () => {
    const elf = readElf(program);
    const trailer = program.lastIndexOf("\n---- Bun! ----\n");
    const changed = (at: number, value: number) => {
      const copy = Buffer.from(program);
      copy.writeUInt32LE(value, trailer + at);
      return () => findBytecode(copy, elf);
    };
    expect(changed(0, 0)).toThrow("the bundle in the program is not as expected");
    expect(changed(-28, 1)).toThrow("its table is invalid");
    expect(changed(-24, 0xffff_fff0)).toThrow("its table is invalid");
    expect(changed(-20, 51)).toThrow("its table is invalid");
    expect(changed(-20, 0)).toThrow("it has no bytecode");
  });
});

import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createModuleReader, readModuleFile } from "../../../../src/desk/modules/module-file.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { moduleElf } from "../module-elf.ts";

const PLAIN = Buffer.concat([moduleElf("license=GPL"), Buffer.alloc(5000, "module ")]);

const packers: Readonly<Record<string, (bytes: Buffer) => Uint8Array>> = {
  gz: (bytes) => gzipSync(bytes),
  zst: (bytes) => zstdCompressSync(bytes),
  xz: (bytes) => Bun.spawnSync(["xz", "-c", "--check=crc32"], { stdin: bytes }).stdout,
};

test.each(Object.keys(packers))("a module in .%s is unpacked up to the limit, and refused beyond it", (ending) => {
  const path = join(scratchDirectory(), `mine.ko.${ending}`);
  writeFileSync(path, packers[ending]?.(PLAIN) ?? "");
  expect(Buffer.from(readModuleFile(path, PLAIN.length)).equals(PLAIN)).toBe(true);
  expect(() => readModuleFile(path, PLAIN.length - 1)).toThrow(`unpacks to more than ${PLAIN.length - 1} bytes`);
});

test("many modules are read as each of them would be, in any order, and the damaged ones are reported", () => {
  const directory = scratchDirectory();
  const plain = (number: number) => Buffer.concat([moduleElf(`alias=m${number}`), Buffer.alloc(number * 37, "m")]);
  const paths = Array.from({ length: 150 }, (_, number) => {
    const ending = { 7: "zst", 8: "gz", 9: "" }[number % 10] ?? "xz";
    const path = join(directory, `m${number}.ko${ending === "" ? "" : `.${ending}`}`);
    writeFileSync(path, packers[ending]?.(plain(number)) ?? plain(number));
    return path;
  });
  const xz = readFileSync(paths[20] ?? "");
  writeFileSync(paths[20] ?? "", xz.subarray(0, xz.length - 8));
  writeFileSync(paths[100] ?? "", Buffer.concat([xz.subarray(0, 40), Buffer.alloc(xz.length - 40, 1)]));
  writeFileSync(paths[101] ?? "", packers["xz"]?.(Buffer.from("no module")) ?? "");
  rmSync(paths[102] ?? "");
  const read = createModuleReader(paths);
  for (const number of [149, ...paths.keys()].filter((number) => ![20, 100, 101, 102].includes(number))) {
    expect(Buffer.compare(read(paths[number] ?? ""), plain(number))).toBe(0);
  }
  expect(() => read(paths[20] ?? "")).toThrow("m20.ko.xz is damaged");
  expect(() => read(paths[100] ?? "")).toThrow("m100.ko.xz is damaged");
  expect(() => read(paths[101] ?? "")).toThrow("is damaged: it is not an ELF file");
  expect(() => read(paths[102] ?? "")).toThrow("cannot read the module");
});

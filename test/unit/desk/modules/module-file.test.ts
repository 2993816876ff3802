import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { readModuleFile } from "../../../../src/desk/modules/module-file.ts";
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

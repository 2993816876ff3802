import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SRC = join(import.meta.dir, "../../src");
// Each brings node's streams and all that they need along: 30 ms of a boot's 500. Bun.hash.crc32, Bun.gunzipSync,
// Bun.zstdDecompressSync and Bun.CryptoHasher cost nothing; whoever needs more asks for it in the function that needs it:
// process.getBuiltinModule("node:crypto").
const EXPENSIVE = /^node:(zlib|crypto|stream|child_process|net|http|tls|util|readline|fs\/promises)/;

/** The static imports, but not those of types, which are gone when it runs. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^(?:import|export)\b(?! type\b)[^;"]*?from "([^"]+)"/gm)].map(([, to]) => to ?? "");
}

/** Every import of whatever is loaded before the boot begins, as "FILE imports WHAT". */
function listStartup(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file) || !file.endsWith(".ts")) return [];
  seen.add(file);
  return importsOf(file).flatMap((to) => [
    `${file.slice(SRC.length + 1)} imports ${to}`,
    ...(to.startsWith(".") ? listStartup(join(dirname(file), to), seen) : []),
  ]);
}

test("a boot loads no runtime module that is expensive to load", () => {
  const imports = ["main.ts", "boot/start.ts"].flatMap((file) => listStartup(join(SRC, file)));
  expect(imports.length).toBeGreaterThan(1000);
  expect(imports.filter((line) => EXPENSIVE.test(line.split(" imports ")[1] ?? ""))).toEqual([]);
});

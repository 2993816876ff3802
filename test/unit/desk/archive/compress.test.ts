import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compress, parseCompression } from "../../../../src/desk/archive/compress.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";

const INPUT = Buffer.from(Array.from({ length: 30_000 }, (_, index) => `line ${index * index}\n`).join(""));

function* pieces(bytes: Buffer, length = 65_536): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += length) yield bytes.subarray(offset, offset + length);
}

async function collect(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe.each([
  ["zstd", ["zstd", "-dc"], "28b52ffd"],
  ["zstd:19", ["zstd", "-dc"], "28b52ffd"],
  ["gzip:9", ["gzip", "-dc"], "1f8b0800000000"],
  // The magic of the legacy frame, the only one lib/decompress_unlz4.c knows.
  ["lz4", ["lz4", "-dc"], "02214c18"],
  ["lz4:1", ["lz4", "-dc"], "02214c18"],
  // The stream flags of a CRC32 check; lib/xz knows no other.
  ["xz:1", ["xz", "-dc"], "fd377a585a000001"],
  ["none", ["cat"], ""],
])("%s", (text, tool, magic) => {
  test("its own tool unpacks it", async () => {
    const packed = await collect(compress(pieces(INPUT), parseCompression(text)));
    expect(packed.toString("hex")).toStartWith(magic);
    const child = Bun.spawn(tool, { stdin: packed, stdout: "pipe" });
    expect(Buffer.from(await child.stdout.bytes()).equals(INPUT)).toBe(true);
    expect(await child.exited).toBe(0);
  });

  test("gives the same bytes each time", async () => {
    const packed = await collect(compress(pieces(INPUT), parseCompression(text)));
    const again = await collect(compress(pieces(INPUT), parseCompression(text)));
    expect(again.equals(packed)).toBe(true);
  });

  test("a mistake in its input comes out as it is", async () => {
    function* broken(): Generator<Uint8Array> {
      yield INPUT.subarray(0, 200_000);
      throw new BootError("the file became shorter");
    }
    const reading = collect(compress(broken(), parseCompression(text)));
    await expect(reading).rejects.toThrow(new BootError("the file became shorter"));
  });
});

test("a higher level makes it smaller", async () => {
  for (const [low, high] of [
    ["zstd:1", "zstd:19"],
    ["lz4:1", "lz4:12"],
    ["gzip:1", "gzip:9"],
  ] as const) {
    const sizes = await Promise.all(
      [low, high].map(async (text) => (await collect(compress(pieces(INPUT), parseCompression(text)))).length),
    );
    expect(sizes[1]).toBeLessThan(sizes[0] ?? 0);
  }
});

test.each([
  "",
  "bzip2",
  "zstd:0",
  "zstd:23",
  "zstd:x",
  "zstd:",
  "zstd:3:3",
  "lz4:13",
  "gzip:10",
  "xz:10",
  "none:1",
  "ZSTD",
])("refuses %j", (text) => {
  expect(() => parseCompression(text)).toThrow(BootError);
});

test("says what was expected", () => {
  expect(() => parseCompression("zip")).toThrow('expected zstd, lz4, gzip, xz, none as compression but received "zip"');
  expect(() => parseCompression("zstd:99")).toThrow('expected a level from 1 to 22 for zstd but received "99"');
});

/** What a fresh process says about compressing with `method` where PATH is `path`. */
function complaintWithPath(method: string, path: string): Promise<string> {
  const script = `
    import { compress, parseCompression } from "${join(import.meta.dir, "../../../../src/desk/archive/compress.ts")}";
    import { report } from "${join(import.meta.dir, "../../../../src/problems/report.ts")}";
    try { for await (const _ of compress([new Uint8Array(1 << 22)], parseCompression("${method}"))); }
    catch (error) { console.log(report(error).join("\\n")); }`;
  return run([process.execPath, "-e", script], { environment: { PATH: path } });
}

test.each([
  ["lz4", "lz4"],
  ["xz", "xz-utils"],
])("where the program %s is missing, names it and its package", async (method, debianPackage) => {
  const said = await complaintWithPath(method, "/nowhere");
  expect(said).toContain(`this host has no program ${method}`);
  expect(said).toContain(`apt install ${debianPackage})`);
});

test("the error of a failed tool quotes its output", async () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "xz"), "#!/bin/sh\necho out of luck >&2\nexit 3\n", { mode: 0o755 });
  const said = await complaintWithPath("xz", directory);
  expect(said).toContain("xz failed: it ended with status 3");
  expect(said).toContain("seen: out of luck");
});

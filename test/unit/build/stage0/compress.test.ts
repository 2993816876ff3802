import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { compressGroups } from "../../../../build/stage0/paged/compress.ts";
import { scratchDirectory } from "../../../support/cache.ts";

const groups = Array.from({ length: 9 }, (_, index) => Buffer.alloc(5000, `group ${index} `));

test("groups become frames with a checksum, in their order, and come from the cache the next time", async () => {
  const cache = join(scratchDirectory(), "not/yet/there");
  const frames = await compressGroups(groups, 19, cache);
  expect(frames.map((frame) => zstdDecompressSync(frame))).toEqual(groups);
  // RFC 8878, 3.1.1.1.1: Content_Checksum_flag of Frame_Header_Descriptor.
  expect(frames.filter((frame) => ((frame[4] ?? 0) & 4) === 0)).toEqual([]);
  const names = readdirSync(cache).sort();
  expect(names).toHaveLength(groups.length);
  expect(await compressGroups(groups, 19, cache)).toEqual(frames);
  expect(readdirSync(cache).sort()).toEqual(names);
  expect(await compressGroups(groups, 19, null)).toEqual(frames);
});

test("a damaged or foreign frame in the cache is made once more", async () => {
  const cache = scratchDirectory();
  const frames = await compressGroups(groups, 19, cache);
  const [one = "", other = ""] = readdirSync(cache).map((name) => join(cache, name));
  const right = readFileSync(one);
  writeFileSync(one, readFileSync(other));
  writeFileSync(other, right.subarray(0, 20));
  expect(await compressGroups(groups, 19, cache)).toEqual(frames);
  expect(readFileSync(one)).toEqual(right);
});

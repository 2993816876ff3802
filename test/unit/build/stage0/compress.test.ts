import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { compressGroups } from "../../../../build/stage0/paged/compress.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { unpackLz4 } from "../../../support/lz4-frame.ts";

const contents = Array.from({ length: 9 }, (_, index) => Buffer.alloc(5000, `group ${index} `));
const groups = contents.map((bytes) => ({ bytes, codec: "zstd" as const }));

test("groups become frames with a checksum, in their order, and come from the cache the next time", async () => {
  const cache = join(scratchDirectory(), "not/yet/there");
  const frames = await compressGroups(groups, 19, cache);
  expect(frames.map((frame) => zstdDecompressSync(frame))).toEqual(contents);
  // RFC 8878, 3.1.1.1.1: Content_Checksum_flag of Frame_Header_Descriptor.
  expect(frames.filter((frame) => ((frame[4] ?? 0) & 4) === 0)).toEqual([]);
  const names = readdirSync(cache).sort();
  expect(names).toHaveLength(groups.length);
  expect(await compressGroups(groups, 19, cache)).toEqual(frames);
  expect(readdirSync(cache).sort()).toEqual(names);
  expect(await compressGroups(groups, 19, null)).toEqual(frames);
});

test("groups for LZ4 become frames of stage0, but those that do not get smaller", async () => {
  const cache = scratchDirectory();
  const random = crypto.getRandomValues(new Uint8Array(5000));
  const mixed = [...contents, random].map((bytes) => ({ bytes, codec: "lz4" as const }));
  const frames = await compressGroups(mixed, 19, cache);
  expect(frames.slice(0, -1).map((frame) => unpackLz4(frame))).toEqual(contents);
  expect(frames.slice(0, -1).filter(({ length }) => length > 100)).toEqual([]);
  const [last = random] = frames.slice(-1);
  expect(unpackLz4(last)).toBeNull();
  expect(zstdDecompressSync(last)).toEqual(Buffer.from(random));
  const [name = ""] = readdirSync(cache);
  const damaged = readFileSync(join(cache, name));
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
  writeFileSync(join(cache, name), damaged);
  expect(await compressGroups(mixed, 19, cache)).toEqual(frames);
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

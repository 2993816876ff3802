import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readIsoChecksum } from "../../../../src/formats/checks/iso-checksum.ts";
import { isoCheck } from "../../../../src/stack/verify/stream-check.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";
import { byteSource } from "../../../support/luks/sources.ts";

/** An ISO of xorriso with the checksum of the real implantisomd5. */
async function makeIso(mib: number): Promise<Uint8Array> {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "tree"));
  writeFileSync(
    join(directory, "tree/noise"),
    new Uint8Array(mib << 20).map((_, index) => (index * 7 + (index >> 11)) & 0xff),
  );
  const iso = join(directory, "iso");
  await run(["xorriso", "-as", "mkisofs", "-quiet", "-o", iso, join(directory, "tree")]);
  await run(["implantisomd5", iso]);
  return new Uint8Array(readFileSync(iso));
}

const iso = await makeIso(3);
const small = await makeIso(0);

/** Runs the check over parts of this size. */
function check(bytes: Uint8Array, partBytes: number) {
  const checksum = readIsoChecksum(byteSource(bytes));
  if (checksum === null) throw new Error("no checksum");
  const stream = isoCheck(checksum);
  for (let at = 0; at < bytes.length; at += partBytes) stream.update(bytes.subarray(at, at + partBytes));
  return stream.finish();
}

test("the checksum of implantisomd5 is read, with its fragments", () => {
  const checksum = readIsoChecksum(byteSource(iso));
  expect(checksum).toMatchObject({ md5: expect.stringMatching(/^[0-9a-f]{32}$/), fieldAt: 32_768 + 883 });
  expect(checksum?.fragments).toHaveLength(20);
  expect(checksum?.fragments.join("")).toHaveLength(60);
});

test("a whole ISO matches, however it is cut into parts", () => {
  for (const partBytes of [iso.length, 4 << 20, 1 << 16, 33_333, 2048]) expect(check(iso, partBytes)).toBeNull();
  expect(check(small, 4096)).toBeNull();
});

test("damage is found, and the place where it begins is near", () => {
  for (const at of [40_000, 500_000, 1_500_000, 3_000_000]) {
    const found = check(iso.with(at, (iso[at] ?? 0) ^ 1), 1 << 16);
    expect(found?.offset).toBeLessThanOrEqual(at);
    expect(found?.offset).toBeGreaterThan(at - 250_000);
  }
  expect(check(small.with(20_000, 1), 4096)).toEqual({ offset: null });
  expect(check(iso.subarray(0, iso.length - 100_000), 1 << 16)).not.toBeNull();
});

test("an ISO without a checksum, and anything else, has none", () => {
  expect(readIsoChecksum(byteSource(new Uint8Array(100)))).toBeNull();
  expect(readIsoChecksum(byteSource(new Uint8Array(1 << 20)))).toBeNull();
  expect(readIsoChecksum(byteSource(iso.slice().fill(0x20, 32_768 + 883, 32_768 + 883 + 512)))).toBeNull();
});

test("a crafted field is a checksum or none, in a short time", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.nat(511), (text, at) => {
      const bytes = small.slice();
      bytes.set(Buffer.from(text).subarray(0, 512 - at), 32_768 + 883 + at);
      const checksum = readIsoChecksum(byteSource(bytes));
      if (checksum !== null) expect(checksum.bytes).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
});

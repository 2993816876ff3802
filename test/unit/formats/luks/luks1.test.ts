import { describe, expect, test } from "bun:test";
import { readLuksHeader } from "../../../../src/formats/luks/read-header.ts";
import { BASE } from "../../../support/luks/base-images.ts";
import { provideLuksImage, readImage } from "../../../support/luks/cryptsetup-image.ts";
import { byteSource, whatItSays } from "../../../support/luks/sources.ts";

const image = readImage(await provideLuksImage(BASE.luks1));
const read = (bytes: Uint8Array) => readLuksHeader(byteSource(bytes));
const slotAt = (id: number) => 208 + id * 48;

/** The image with a big-endian 32-bit number, or a text, at another value. */
function change(at: number, value: number | string): Uint8Array {
  const changed = new Uint8Array(image);
  if (typeof value === "number") new DataView(changed.buffer).setUint32(at, value);
  else changed.set(new TextEncoder().encode(value), at);
  return changed;
}

test("a LUKS1 header of cryptsetup is described as the equivalent LUKS2 header", () => {
  const { keyslots, segments, digests, material, ...rest } = read(image);
  expect(rest).toEqual({
    version: 1,
    uuid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    label: "",
    subsystem: "",
    epoch: null,
    tokens: [],
    flags: [],
    requirements: [],
    warnings: [],
  });
  const kdf = { type: "pbkdf2", hash: "sha256", iterations: 1000 };
  expect(keyslots).toMatchObject([
    {
      id: 0,
      keyBytes: 64,
      priority: "normal",
      area: { offset: 4096, size: 256000 },
      lock: { kdf, cipher: "aes-xts-plain64", cipherKeyBytes: 64, splitHash: "sha256" },
    },
  ]);
  expect(digests).toMatchObject([{ id: 0, keyslots: [0], segments: [0], check: { kdf } }]);
  expect(digests[0]?.check?.value).toHaveLength(20);
  const crypt = { cipher: "aes-xts-plain64", ivOffset: 0n, sectorBytes: 512, integrity: null };
  expect(segments).toEqual([{ id: 0, type: "crypt", offset: 2097152n, size: null, flags: [], crypt }]);
  expect([...material.keys()]).toEqual([0]);
});

describe("corrupted headers", () => {
  test.each([
    ["a keyslot that is neither active nor not", change(slotAt(3), 0xdeae), "keyslot 3 is neither active nor inactive"],
    ["other stripes", change(slotAt(0) + 44, 3999), "keyslot 0 has 3999 stripes, not 4000"],
    ["a key without bytes", change(108, 0), "its key size of 0 bytes is not valid"],
    ["an enormous key", change(108, 0xffffffff), "its key size of 4294967295 bytes is not valid"],
    ["an area in the header", change(slotAt(1) + 40, 1), "its header and keyslot 1 overlap"],
    ["two areas at one place", change(slotAt(1) + 40, 8), "keyslot 0 and keyslot 1 overlap"],
    ["an area in the data", change(slotAt(7) + 40, 4000), "the area of keyslot 7 reaches into the data"],
    ["an area beyond the device", change(104, 0xffffffff).slice(0, 4 << 20), null],
    ["a cipher with spaces", change(8, "aes xts"), 'its cipher "aes xts-xts-plain64" is not valid'],
    ["a hash with spaces", change(72, "sha 256"), 'its hash "sha 256" is not valid'],
    ["no cipher", change(8, "\0").fill(0, 40, 72), 'its cipher "" is not valid'],
    ["a device that ends before the areas", image.slice(0, 1 << 20), "is beyond the end of the device"],
    ["a UUID with a space", change(168, "c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5 "), "its UUID is not valid"],
    ["a UUID that is too long", change(168, "c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c/../"), "its UUID is not valid"],
    ["no UUID", change(168, "\0"), "its UUID is not valid"],
    ["an interrupted reencryption", change(4, 0xdead0001), "a reencryption of this LUKS1 volume was interrupted"],
  ])("%s", (_name, bytes, reason) => {
    if (reason === null) expect(read(bytes).keyslots).toHaveLength(1);
    else expect(whatItSays(() => read(bytes))).toContain(reason);
  });
});

test("full fields need no zero byte", () => {
  expect(read(change(72, "x".repeat(32))).keyslots[0]?.lock?.splitHash).toBe("x".repeat(31));
});

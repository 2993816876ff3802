import { describe, expect, test } from "bun:test";
import { crc32c, crc64, rawCrc32, rawCrc32c } from "../../../src/formats/checksums.ts";
import { probe } from "../../../src/formats/probe.ts";
import {
  be16,
  be32,
  counting,
  latin1,
  le16,
  le32,
  le64,
  patch,
  sparseSource,
} from "../../support/probe/sparse-source.ts";

const SIZE = 16 * 1024 * 1024;
const MAGIC = "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";

describe("a type that libblkid does not know", () => {
  const jffs2 = (u16: typeof le16, u32: typeof le32) => {
    const head = Uint8Array.from([...u16(0x1985), ...u16(0x2003), ...u32(12)]);
    return [patch(0, head, u32(rawCrc32(head, 0)))];
  };

  test.each([
    ["little", jffs2(le16, le32)],
    ["big", jffs2(be16, be32)],
  ] as const)("JFFS2, %s-endian, by its first node's checksum", (_name, patches) => {
    expect(probe(sparseSource(SIZE, patches)).type).toBe("jffs2");
    expect(probe(sparseSource(SIZE, [...patches, patch(5, [1])])).type).toBeNull();
  });
});

describe("bcachefs", () => {
  function bcachefs(checksum: (rest: Uint8Array) => readonly number[], kind: number) {
    const sb = new Uint8Array(752 + 8 + 2 * 56);
    const put = (at: number, bytes: readonly number[] | Uint8Array) => sb.set(new Uint8Array(bytes), at);
    put(16, le16(1026));
    put(24, latin1(MAGIC));
    put(56, counting(16));
    put(72, latin1("bcachefs label"));
    put(104, le64(8));
    put(120, [...le16(8), 1, 2, ...le32((8 + 2 * 56) / 8)]);
    put(144, [kind << 2]);
    put(257, [16]);
    put(752, [...le32((8 + 2 * 56) / 8), ...le32(1)]);
    put(760 + 56, counting(16, 33));
    put(0, checksum(sb.subarray(16)));
    return [patch(4096, sb)];
  }

  test.each([
    ["none", 0, () => []],
    ["CRC-32C", 1, (rest: Uint8Array) => le32(crc32c(rest))],
    ["CRC-64", 2, (rest: Uint8Array) => le64(crc64(rest))],
    ["XXH64", 7, (rest: Uint8Array) => le64(Bun.hash.xxHash64(rest))],
  ] as const)("with checksum %s", (name, kind, checksum) => {
    const patches = bcachefs(checksum, kind);
    const result = probe(sparseSource(SIZE, patches));
    expect(result).toMatchObject({
      type: "bcachefs",
      label: "bcachefs label",
      uuid: "01020304-0506-0708-090a-0b0c0d0e0f10",
    });
    const text = (tag: string) => new TextDecoder().decode(result.tags.find((some) => some.name === tag)?.value);
    expect([text("VERSION"), text("BLOCK_SIZE"), text("UUID_SUB")]).toEqual([
      "1.2",
      "4096",
      "21222324-2526-2728-292a-2b2c2d2e2f30",
    ]);
    const damaged = probe(sparseSource(SIZE, [...patches, patch(4096 + 80, [1])]));
    expect(damaged.type).toBe(name === "none" ? "bcachefs" : null);
  });
});

describe("checksums", () => {
  test("equal the published check values", () => {
    expect(crc32c(latin1("123456789"))).toBe(0xe3069283);
    expect(rawCrc32c(latin1("123456789"))).toBe(~0xe3069283 >>> 0);
    expect(rawCrc32(latin1("123456789"), 0xffffffff)).toBe(~0xcbf43926 >>> 0);
    // CRC-64/WE in the catalogue of Greg Cook.
    expect(crc64(latin1("123456789"))).toBe(0x62ec59e3f1a4f00an);
  });
});

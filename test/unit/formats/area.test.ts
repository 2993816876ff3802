import { describe, expect, test } from "bun:test";
import { examine, READ_LIMIT_BYTES } from "../../../src/formats/area.ts";
import { SyscallError } from "../../../src/problems/errors.ts";
import { patch, sparseSource } from "../../support/probe/sparse-source.ts";

const KIB = 1024;

describe("reads", () => {
  test("the head is read once, in one piece", () => {
    const source = sparseSource(1024 * KIB, [patch(5, "abc")]);
    const area = examine(source);
    expect(area.bytes(5, 3)).toEqual(Uint8Array.of(0x61, 0x62, 0x63));
    area.bytes(0, 33 * KIB);
    area.bytes(32_000, 16);
    expect(source.count).toEqual({ bytes: 33 * KIB, calls: 1 });
  });

  test("longer reads are cached too, except in the head", () => {
    const source = sparseSource(1024 * KIB, [patch(0, "abc"), patch(100 * KIB, "xyz")]);
    const area = examine(source);
    area.bytes(100 * KIB - 1, 2 * KIB);
    expect(area.bytes(100 * KIB, 3)).toEqual(Uint8Array.of(0x78, 0x79, 0x7a));
    expect(source.count).toEqual({ bytes: 2 * KIB, calls: 1 });
    area.bytes(0, 40 * KIB);
    expect(area.bytes(0, 3)).toEqual(Uint8Array.of(0x61, 0x62, 0x63));
    expect(area.bytes(33 * KIB, KIB)?.length).toBe(KIB);
    expect(source.count).toEqual({ bytes: (2 + 40 + 33) * KIB, calls: 3 });
  });

  test("after it single KiB are read and cached", () => {
    const source = sparseSource(1024 * KIB, []);
    const area = examine(source);
    area.bytes(100 * KIB, 512);
    area.bytes(100 * KIB + 512, 512);
    expect(source.count).toEqual({ bytes: KIB, calls: 1 });
  });

  test("nothing beyond the end, and no invalid range", () => {
    const area = examine(sparseSource(1500, []));
    expect(area.bytes(1000, 500)?.length).toBe(500);
    for (const [offset, length] of [
      [1000, 501],
      [-1, 1],
      [0, 0],
      [0, -1],
      [1.5, 1],
      [Number.NaN, 1],
      [2 ** 60, 1],
    ] as const) {
      expect(area.bytes(offset, length)).toBeNull();
    }
  });

  test("no more than the limit in total", () => {
    const source = sparseSource(2 ** 30, []);
    const area = examine(source);
    expect(area.bytes(0, READ_LIMIT_BYTES + 1)).toBeNull();
    expect(area.bytes(2 ** 20, READ_LIMIT_BYTES)?.length).toBe(READ_LIMIT_BYTES);
    expect(area.bytes(0, 1)).toBeNull();
    expect(source.count.bytes).toBe(READ_LIMIT_BYTES);
  });

  test("a part counts from its own start and shares the limit", () => {
    const source = sparseSource(1024 * KIB, [patch(1000, "xyz")]);
    const part = examine(source).part(1000, 100);
    expect(part?.size).toBe(100);
    expect(part?.bytes(0, 3)).toEqual(Uint8Array.of(0x78, 0x79, 0x7a));
    expect(part?.bytes(98, 3)).toBeNull();
    expect(examine(source).part(1024 * KIB, 1)).toBeNull();
  });

  test("a bad sector is null; other errors are thrown", () => {
    const failing = (error: Error) =>
      examine({
        size: 4096,
        read: () => {
          throw error;
        },
      });
    expect(failing(new SyscallError("pread", "EIO", "x")).bytes(0, 1)).toBeNull();
    expect(() => failing(new TypeError("a bug")).bytes(0, 1)).toThrow(TypeError);
  });

  test("a short read is null", () => {
    expect(examine({ size: 4096, read: () => new Uint8Array(3) }).bytes(0, 1)).toBeNull();
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BootError } from "../../../src/problems/errors.ts";
import { findRootPart, slice } from "../../../src/stack/disk-image.ts";
import { type FakeImage, fakeImage } from "../../support/fake-images.ts";
import { partitionDisk } from "../../support/fake-partitions.ts";
import { byteSource } from "../../support/luks/sources.ts";

const X86_64 = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
const AARCH64 = "b921b045-1df0-41c3-af44-4c6f280d3fae";
const ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const HOME = "933ac7e1-2eb4-4f13-b844-0e14e2aef915";
const SWAP = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f";

const part = (image: FakeImage, type?: string, name = "") => ({ image, name, ...(type === undefined ? {} : { type }) });
const efi = () => part(fakeImage("vfat", { label: "EFI" }), ESP);
const ext4 = (type?: string, label = "ROOT") => part(fakeImage("ext4", { label }), type);
const blank = (type: string) => part({ ...fakeImage("ext4"), bytes: new Uint8Array(4096) }, type);
const find = (parts: Parameters<typeof partitionDisk>[0], machine = "x86_64", sectorBytes = 512) => {
  const { bytes, offsets } = partitionDisk(parts, sectorBytes);
  const found = findRootPart(byteSource(bytes), machine, "/disk.img");
  expect(found?.offset).toBe(offsets[(found?.number ?? 0) - 1]);
  return found;
};

describe("the root partition of an image of a disk", () => {
  test("is the one with the root type of the architecture", () => {
    const parts = () => [efi(), ext4(undefined, "DATA"), ext4(AARCH64), ext4(X86_64), ext4(HOME)];
    expect(find(parts())).toMatchObject({ number: 4, facts: { type: "ext4", label: "ROOT" } });
    expect(find(parts(), "aarch64")).toMatchObject({ number: 3 });
  });

  test("is the only one for Linux otherwise", () => {
    expect(find([efi(), ext4()])).toMatchObject({ number: 2 });
    expect(find([blank(SWAP), part(fakeImage("crypto_LUKS"))])).toMatchObject({
      number: 2,
      facts: { type: "crypto_LUKS" },
    });
  });

  test("is the only one with a filesystem otherwise", () => {
    expect(find([blank(SWAP), part(fakeImage("squashfs"), HOME)])).toMatchObject({ number: 2 });
  });

  test("is found on a disk with sectors of 4096 bytes", () => {
    expect(find([efi(), ext4(X86_64)], "x86_64", 4096)).toMatchObject({ number: 2, facts: { label: "ROOT" } });
  });

  test("is that of a DOS table too", () => {
    const disk = new Uint8Array(64 * 512);
    const inner = fakeImage("ext4", { label: "DOS" });
    disk.set(inner.bytes, 8 * 512);
    disk.set([0, 0, 0, 0, 0x83, 0, 0, 0, 8, 0, 0, 0, 32, 0, 0, 0], 446);
    disk.set([0x55, 0xaa], 510);
    expect(findRootPart(byteSource(disk), "x86_64", "/x")).toMatchObject({ number: 1, offset: 4096, size: 16_384 });
  });

  test("is asked for by a list if several may be it", () => {
    try {
      find([efi(), part(fakeImage("ext4", { label: "BOOT" }), undefined, "boot"), ext4()]);
    } catch (error) {
      expect((error as BootError).code).toBe("image-of-disk");
      expect((error as BootError).seen).toEqual([
        'partition 1: vfat "EFI"',
        'partition 2: ext4 "BOOT" "boot"',
        'partition 3: ext4 "ROOT"',
      ]);
    }
    expect.assertions(2);
  });

  test("is none in an image without a table", () => {
    expect(findRootPart(byteSource(fakeImage("ext4").bytes), "x86_64", "/x")).toBeNull();
    expect(findRootPart(byteSource(new Uint8Array(1 << 20)), "x86_64", "/x")).toBeNull();
  });
});

test("a part ends where it ends", () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
  const some = slice(byteSource(bytes), { offset: 10, size: 20 });
  expect([...some.read(18, 9)]).toEqual([28, 29]);
  expect([...some.read(30, 9)]).toEqual([]);
});

test("nothing in an image makes it fail otherwise than with a report", () => {
  const { bytes } = partitionDisk([efi(), ext4(), ext4(X86_64)]);
  const places = fc.array(fc.tuple(fc.integer({ min: 440, max: 20_000 }), fc.integer({ min: 0, max: 255 })));
  fc.assert(
    fc.property(places, (changes) => {
      const changed = bytes.slice();
      for (const [at, value] of changes) changed[at] = value;
      try {
        const found = findRootPart(byteSource(changed), "x86_64", "/x");
        if (found !== null) expect(found.offset + found.size).toBeLessThanOrEqual(changed.length);
      } catch (error) {
        if (!(error instanceof BootError)) throw error;
      }
    }),
  );
});

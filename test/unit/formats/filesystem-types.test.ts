import { expect, test } from "bun:test";
import { charsetsFor, driversOf, filesystemType } from "../../../src/formats/filesystems/filesystem-types.ts";

test("a type without a row, or with the name of a property of objects, needs nothing in particular", () => {
  for (const type of ["zonefs", "__proto__", "constructor"]) {
    expect(filesystemType(type)).toEqual({});
    expect(driversOf(type)).toEqual([type]);
    expect(charsetsFor(type, "iocharset=utf8")).toEqual([]);
  }
});

test("every journal has an option that keeps a read-only mount from replaying it", () => {
  const options = ["ext3", "ext4", "xfs", "f2fs", "nilfs2", "btrfs"].map((type) => filesystemType(type).withoutReplay);
  expect(options).toEqual(["noload", "noload", "norecovery", "norecovery", "norecovery", "rescue=nologreplay"]);
});

test("the size in a squashfs superblock is bytes_used; a superblock that is cut off has none", () => {
  const source = (length: number) => ({
    size: length,
    read: (offset: number, count: number) => Uint8Array.from({ length: Math.min(count, length - offset) }, () => 1),
  });
  const { readSize } = filesystemType("squashfs");
  expect(readSize?.(source(96))).toBe(Number(0x0101010101010101n));
  expect(readSize?.(source(44))).toBeNull();
});

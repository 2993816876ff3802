import { expect, test } from "bun:test";
import {
  charsetsFor,
  driversOf,
  filesystemType,
  untouchedOptions,
} from "../../../src/formats/filesystems/filesystem-types.ts";

test("a type without a row, or with the name of a property of objects, needs nothing in particular", () => {
  for (const type of ["zonefs", "__proto__", "constructor"]) {
    expect(filesystemType(type)).toEqual({});
    expect(driversOf(type)).toEqual([type]);
    expect(charsetsFor(type, "iocharset=utf8")).toEqual([]);
  }
});

test.each([
  ["ext4", "", "noload"],
  ["ext3", "errors=continue,noload", "errors=continue,noload"],
  // fs/ext4/super.c refuses them together with noload: "can't mount with data=, fs mounted w/o journal".
  ["ext4", "data=journal,commit=30,journal_checksum,nodelalloc", "nodelalloc,noload"],
  ["xfs", "logbufs=8", "logbufs=8,norecovery"],
  ["f2fs", "", "norecovery"],
  ["nilfs2", "cp=3", "cp=3,norecovery"],
  ["btrfs", "subvol=@,compress=zstd", "subvol=@,compress=zstd,rescue=nologreplay"],
  ["bcachefs", "", "nochanges"],
  ["gfs2", "lockproto=lock_nolock", "lockproto=lock_nolock,norecovery"],
  ["reiserfs", "notail", "notail"],
  ["ext2", "", ""],
])("%s with %p is mounted without a write by %p", (type, options, untouched) => {
  expect(untouchedOptions(type, options)).toBe(untouched);
});

test.each(["squashfs", "erofs", "iso9660", "vfat", "jfs", "ntfs3", "__proto__"])(
  "a read-only %s needs no option",
  (type) => {
    expect(untouchedOptions(type, "nls=utf8")).toBeNull();
  },
);

import { expect, test } from "bun:test";
import { join } from "node:path";
import { filesystemType } from "../../../src/formats/filesystems/filesystem-types.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { run } from "../../support/command.ts";
// mkfs.xfs and mkfs.f2fs are unpacked programs.
import "../../support/unpacked-programs.ts";
import { byteSource, mapFile } from "../../support/luks/sources.ts";

async function make(command: string, sizeMib = 16): Promise<Buffer> {
  const file = join(scratchDirectory(), "image");
  await run(["truncate", "-s", "0", file]);
  await run(["truncate", "-s", `${sizeMib}M`, file]);
  await run([...command.split(" "), file]);
  return mapFile(file);
}

test.each([
  ["ext4", "mkfs.ext4 -q", null],
  ["ext2", "mkfs.ext2 -q", null],
  ["ext4", "mkfs.ext4 -q -O casefold", "case-folding"],
  ["ext4", "mkfs.ext4 -q -O ^filetype", "no-d-type"],
  ["xfs", "mkfs.xfs -q -f", null],
  ["xfs", "mkfs.xfs -q -f -m crc=0 -n ftype=0", "no-d-type"],
  ["xfs", "mkfs.xfs -q -f -m crc=0 -n ftype=1", null],
  ["f2fs", "mkfs.f2fs -q", null],
  ["f2fs", "mkfs.f2fs -q -O casefold -C utf8", "case-folding"],
] as const)("%s by %s: %p", async (type, command, flaw) => {
  const bytes = await make(command, type === "xfs" ? 300 : 64);
  expect(filesystemType(type).findUpperFlaw?.(byteSource(bytes))).toBe(flaw);
});

test.each(["vfat", "exfat", "ntfs", "iso9660", "squashfs", "nilfs2"])("%s keeps no changes", (type) => {
  expect(filesystemType(type).upperFlaw).toBeDefined();
});

test("the mark that asks for a check is read where each type has it", async () => {
  const isDirty = (type: string, bytes: Uint8Array) => filesystemType(type).isDirty?.(byteSource(bytes));
  const marks: readonly [string, string, number, number][] = [
    ["vfat", "mkfs.vfat -F 32", 0x41, 1],
    ["vfat", "mkfs.vfat -F 16", 0x25, 1],
    ["exfat", "mkfs.exfat", 106, 2],
    ["ext4", "mkfs.ext4 -q", 1024 + 0x3a, 2],
  ];
  for (const [type, command, at, bit] of marks) {
    const bytes = await make(command, 64);
    expect(isDirty(type, bytes)).toBe(false);
    bytes[at] = (bytes[at] ?? 0) | bit;
    expect(isDirty(type, bytes)).toBe(true);
    // The superblock is cut off.
    expect(isDirty(type, bytes.subarray(0, 20))).toBe(false);
  }
});

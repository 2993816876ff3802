import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { filesystemType } from "../../../src/formats/filesystems/filesystem-types.ts";
import type { ImageFlaw } from "../../../src/formats/filesystems/image-flaws.ts";
import { type ImageType, treeImage } from "../../support/filesystem-images.ts";
import { textTree } from "../../support/live-media.ts";
import { byteSource } from "../../support/luks/sources.ts";

function findFlaw(type: string, bytes: Uint8Array): ImageFlaw | null | undefined {
  return filesystemType(type).findFlaw?.(byteSource(bytes));
}

/** Files in directories, with more inodes and fragments than one block of a table holds. */
async function image(type: ImageType): Promise<Buffer> {
  const names = Array.from({ length: 900 }, (_, index) => [`d${index % 7}/file${index}`, `${index}\n`.repeat(50)]);
  return readFileSync(await treeImage(type, textTree(Object.fromEntries(names))));
}

describe.each(["squashfs-gzip", "squashfs-xz", "squashfs-lz4", "squashfs-zstd"] as const)("%s", (type) => {
  const damaged = (part: string) => ({ kind: "damaged" as const, part });

  test("has no flaw as mksquashfs makes it, padded or not", async () => {
    const bytes = await image(type);
    expect(findFlaw("squashfs", bytes)).toBeNull();
    const used = Number(bytes.readBigUInt64LE(40));
    expect(findFlaw("squashfs", bytes.subarray(0, used))).toBeNull();
    expect(findFlaw("squashfs", Buffer.concat([bytes, Buffer.alloc(70_000, 0xff)]))).toBeNull();
  });

  test("with nothing in it has no flaw", async () => {
    expect(findFlaw("squashfs", readFileSync(await treeImage(type, textTree({}))))).toBeNull();
  });

  test("that ends too early is short", async () => {
    const bytes = await image(type);
    const wholeBytes = Number(bytes.readBigUInt64LE(40));
    for (const length of [wholeBytes - 1, 4096, 96]) {
      expect(findFlaw("squashfs", bytes.subarray(0, length))).toEqual({ kind: "short", wholeBytes });
    }
    expect(findFlaw("squashfs", bytes.subarray(0, 95))).toEqual(damaged("the superblock"));
  });

  test("whose end is empty, as after an interrupted copy, is damaged, from each table on", async () => {
    const bytes = await image(type);
    const place = (at: number) => Number(bytes.readBigUInt64LE(at));
    const [ids, inodes, directories] = [place(48), place(64), place(72)];
    const zeroed = (from: number) => findFlaw("squashfs", Buffer.from(bytes).fill(0, from));
    expect(zeroed(inodes)).toEqual(damaged("the inode table"));
    expect(zeroed(directories)).toEqual(damaged("the directory table"));
    expect(zeroed(ids)).toEqual(damaged("the table of user and group IDs"));
    expect(findFlaw("squashfs", Buffer.from(bytes).fill(0xa5, inodes))).toEqual(damaged("the inode table"));
  });

  test("with any field of its superblock or any place of its indexes changed never throws, and reads little", async () => {
    const bytes = await image(type);
    for (let at = 0; at < 96; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        let readBytes = 0;
        const { size, read } = byteSource(changed);
        const counting = {
          size,
          read(offset: number, length: number) {
            expect(offset).toBeGreaterThanOrEqual(0);
            readBytes += length;
            return read(offset, length);
          },
        };
        filesystemType("squashfs").findFlaw?.(counting);
        expect(readBytes).toBeLessThan(2 << 20);
      }
    }
  });
});

test("an EROFS that ends too early is short, and one of any size has no flaw as mkfs.erofs makes it", async () => {
  const bytes = await image("erofs");
  expect(findFlaw("erofs", bytes)).toBeNull();
  const wholeBytes = bytes.readUInt32LE(1024 + 36) * 4096;
  expect(findFlaw("erofs", bytes.subarray(0, bytes.length - 4096))).toEqual({ kind: "short", wholeBytes });
});

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { filesystemType } from "../../../src/formats/filesystems/filesystem-types.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { run } from "../../support/command.ts";
import { treeImage, uncleanImage } from "../../support/filesystem-images.ts";
import { textTree } from "../../support/live-media.ts";
import { byteSource, mapFile } from "../../support/luks/sources.ts";

function isUnclean(type: string, bytes: Uint8Array): boolean | undefined {
  return filesystemType(type).isUnclean?.(byteSource(bytes));
}

/** A new filesystem, as its own tool makes it. Those that a kernel leaves when the power fails are in vm/untouched. */
async function newImage(type: string): Promise<Buffer> {
  const words = { f2fs: ["mkfs.f2fs", "-q"], nilfs2: ["mkfs.nilfs2", "-q"] }[type];
  if (words === undefined) return mapFile(await treeImage(type as "ext4", textTree({ "etc/name": "x" })));
  const file = join(scratchDirectory(), type);
  await run(["truncate", "-s", "160M", file]);
  await run([...words, file]);
  return mapFile(file);
}

test.each(["ext3", "ext4", "xfs", "btrfs", "f2fs", "nilfs2"])("a new %s is clean", async (type) => {
  expect(isUnclean(type, await newImage(type))).toBe(false);
});

describe("a filesystem that was not unmounted", () => {
  test("as ext4, by the feature needs_recovery", async () => {
    const clean = await treeImage("ext4", textTree({ "etc/name": "x" }));
    expect(isUnclean("ext4", mapFile(await uncleanImage(clean)))).toBe(true);
  });

  test("as XFS, by a last record that is not an unmount", async () => {
    const bytes = await newImage("xfs");
    const { place, operation } = findUnmountRecord(bytes);
    bytes[operation + 9] = 0;
    expect(isUnclean("xfs", bytes)).toBe(true);
    const more = await newImage("xfs");
    more.writeUInt32BE(2, place + 40); // h_num_logops
    expect(isUnclean("xfs", more)).toBe(true);
  });

  test("as btrfs, by its log tree", async () => {
    const bytes = await newImage("btrfs");
    bytes.writeBigUInt64LE(0x100000n, 0x10000 + 0x60);
    expect(isUnclean("btrfs", bytes)).toBe(true);
  });

  test("as NILFS2, by its state", async () => {
    const bytes = await newImage("nilfs2");
    bytes.writeUInt16LE(0, 1024 + 116);
    expect(isUnclean("nilfs2", bytes)).toBe(true);
  });

  test("as F2FS, by its newer checkpoint", async () => {
    const bytes = await newImage("f2fs");
    const first = bytes.readUInt32LE(1024 + 76) * 4096;
    const second = first + 512 * 4096;
    bytes.copy(bytes, second, first, first + 4096);
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(first) + 1n, second);
    expect(isUnclean("f2fs", bytes)).toBe(false);
    bytes.writeUInt32LE(0, second + 132);
    expect(isUnclean("f2fs", bytes)).toBe(true);
  });
});

test.each(["ext4", "xfs", "btrfs", "f2fs", "nilfs2"])("%s is read without a throw whatever its bytes are", (type) => {
  for (const fill of [0, 0xff, 0xa5]) {
    for (const length of [0, 100, 1100, 66_000]) {
      expect(() => isUnclean(type, new Uint8Array(length).fill(fill))).not.toThrow();
    }
  }
});

/** Where the log's first record and the operation in it begin. */
function findUnmountRecord(bytes: Buffer): { readonly place: number; readonly operation: number } {
  const start = bytes.readBigUInt64BE(48);
  const groupLog = BigInt(bytes[124] ?? 0);
  const block = (start >> groupLog) * BigInt(bytes.readUInt32BE(84)) + (start & ((1n << groupLog) - 1n));
  const place = Number(block) * bytes.readUInt32BE(4);
  expect(bytes.readUInt32BE(place)).toBe(0xfeedbabe);
  return { place, operation: place + 512 };
}

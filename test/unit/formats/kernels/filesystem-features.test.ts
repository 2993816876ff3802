import { expect, test } from "bun:test";
import { join } from "node:path";
import { isAtLeast, listFeatures } from "../../../../src/formats/kernels/filesystem-features.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { runScript } from "../../../support/command.ts";
// mkfs.xfs and mkfs.btrfs.
import "../../../support/probe/filesystem-recipes.ts";

async function featuresOf(type: string, mkfs: string): Promise<Readonly<Record<string, string | null>>> {
  const file = join(scratchDirectory(), type);
  await runScript(`truncate -s 300M "$1"; ${mkfs} "$1" >/dev/null`, [file]);
  // Of a sparse file of 300 MiB, where the superblocks are.
  const source = new Uint8Array(
    await Bun.file(file)
      .slice(0, 1 << 18)
      .arrayBuffer(),
  );
  const features = listFeatures(
    { size: source.length, read: (offset, length) => source.subarray(offset, offset + length) },
    type,
  );
  return Object.fromEntries(features.map(({ name, since }) => [name, since]));
}

test("what the tools of Debian make: only features that are newer than Linux 4.19 are listed", async () => {
  expect(await featuresOf("ext4", "mke2fs -q -F -t ext4")).toEqual({});
  expect(await featuresOf("ext4", "mke2fs -q -F -t ext4 -O casefold,verity,encrypt,ea_inode,quota,project")).toEqual({
    casefold: "5.2",
    verity: "5.4",
  });
  expect(await featuresOf("xfs", "mkfs.xfs -q -m bigtime=0,inobtcount=0")).toEqual({});
  expect(await featuresOf("xfs", "mkfs.xfs -q -i nrext64=1 -m bigtime=1,inobtcount=1")).toEqual({
    bigtime: "5.10",
    inobtcount: "5.10",
    nrext64: "5.19",
  });
  expect(await featuresOf("btrfs", "mkfs.btrfs -q")).toEqual({});
  expect(await featuresOf("vfat", "mkfs.vfat")).toEqual({});
});

test("a kernel is compared by its numbers", () => {
  expect(["6.1.0-25-amd64", "5.10.0", "10.0", "5.9"].map((release) => isAtLeast(release, "5.10"))).toEqual([
    ...[true, true, true, false],
  ]);
});

import { describe, expect, test } from "bun:test";
import { run } from "../support/command.ts";
import { assembleDisk, flashStick, liveMedium } from "../support/disk-images.ts";
import { corruptImage, type ImageType, rootImage } from "../support/filesystem-images.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

const MAKE_TIMEOUT_MS = QUEUE_TIMEOUT_MS;
const UUID = "6c657661-696e-4000-8000-000000000001";

// What libblkid says of a file or of a part of it, as NAME=value lines.
function blkid(file: string, ...options: readonly string[]): Promise<string> {
  return run(["blkid", "-p", "-o", "export", ...options, file]);
}

describe("filesystem images contain what their names say", () => {
  const cases: readonly (readonly [ImageType, string, string, string])[] = [
    ["ext2", "ext2", "ROOT", UUID],
    ["ext3", "ext3", "ROOT", UUID],
    ["ext4", "ext4", "ROOT", UUID],
    ["xfs", "xfs", "ROOT", UUID],
    ["btrfs", "btrfs", "ROOT", UUID],
    ["squashfs-gzip", "squashfs", "", ""],
    ["squashfs-zstd", "squashfs", "", ""],
    ["erofs", "erofs", "", UUID],
    ["iso9660", "iso9660", "ROOT", ""],
  ];
  test.each(cases)(
    "%s",
    async (image, type, label, uuid) => {
      const said = await blkid(await rootImage(image, { ...(label && { label }), ...(uuid && { uuid }) }));
      expect(said).toContain(`\nTYPE=${type}\n`);
      if (label !== "") expect(said).toContain(`\nLABEL=${label}\n`);
      if (uuid !== "") expect(said).toContain(`\nUUID=${uuid}\n`);
    },
    MAKE_TIMEOUT_MS,
  );
});

test(
  "a stick is a dos disk with a FAT32 that holds the image",
  async () => {
    const stick = await flashStick();
    expect(await blkid(stick)).toContain("PTTYPE=dos");
    const filesystem = await blkid(stick, "--offset", "1048576");
    expect(filesystem).toContain("\nLABEL=FLASH\n");
    expect(filesystem).toContain("\nVERSION=FAT32\n");
    expect(await run(["mdir", "-b", "-i", `${stick}@@1M`, "::/"])).toContain("newroot.sfs");
  },
  MAKE_TIMEOUT_MS,
);

test(
  "a GPT disk has the names and ids that were asked for",
  async () => {
    const file = await rootImage("ext4", { label: "ROOT", uuid: UUID });
    const disk = await assembleDisk(
      [
        { type: "U", name: "EFI" },
        { file, name: "my root", uuid: "11111111-2222-4333-8444-555555555555" },
      ],
      { table: "gpt", id: "99999999-2222-4333-8444-555555555555" },
    );
    const table = JSON.parse(await run(["sfdisk", "--json", disk])).partitiontable;
    expect(table).toMatchObject({ label: "gpt", id: "99999999-2222-4333-8444-555555555555" });
    expect(table.partitions[1]).toMatchObject({ name: "my root", uuid: "11111111-2222-4333-8444-555555555555" });
    expect(await blkid(disk, "--offset", `${table.partitions[1].start * 512}`)).toContain(`\nUUID=${UUID}\n`);
  },
  MAKE_TIMEOUT_MS,
);

test.each(["iso9660", "vfat"] as const)(
  "a live medium on %s is labelled",
  async (type) => {
    expect(await blkid(await liveMedium(type))).toContain("\nLABEL=LIVE\n");
  },
  MAKE_TIMEOUT_MS,
);

test(
  "a corrupt squashfs is corrupt in its data only",
  async () => {
    const whole = await rootImage("squashfs-gzip");
    for (const how of ["truncated", "garbled"] as const) {
      const corrupt = await corruptImage(whole, how);
      expect(await blkid(corrupt)).toContain("TYPE=squashfs");
      expect(run(["unsquashfs", "-lls", corrupt])).rejects.toThrow();
    }
    expect(await run(["unsquashfs", "-lls", whole])).toContain("squashfs-root/sbin/init");
  },
  MAKE_TIMEOUT_MS,
);

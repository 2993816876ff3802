import { expect, test } from "bun:test";
import { describeNoFilesystem, unsupportedLayer } from "../../../src/formats/contents.ts";
import { SIGNATURES } from "../../../src/formats/probe.ts";

test("every type that contains other devices has a name, or levain opens it", () => {
  const containers = SIGNATURES.filter(({ usage }) => usage === "raid" || usage === "crypto").map(({ type }) => type);
  expect(containers.length).toBeGreaterThan(20);
  expect(containers.filter((type) => unsupportedLayer(type) === null)).toEqual([
    "linux_raid_member",
    "ddf_raid_member",
    "isw_raid_member",
    "LVM2_member",
    "DM_verity_hash",
    "DM_integrity",
    "crypto_LUKS",
  ]);
  expect(containers.filter((type) => describeNoFilesystem(type) === null)).toEqual([]);
});

test("a filesystem is neither a layer nor without files", () => {
  for (const type of ["ext4", "xfs", "btrfs", "vfat", "iso9660", "squashfs", "f2fs", "__proto__", "constructor"]) {
    expect([unsupportedLayer(type), describeNoFilesystem(type)]).toEqual([null, null]);
  }
  expect(unsupportedLayer(null)).toBeNull();
});

test("the names that people know", () => {
  const names = [
    "LVM1_member",
    "linux_raid_member",
    "isw_raid_member",
    "nvidia_raid_member",
    "zfs_member",
    "drbd",
    "vdo",
    "stratis",
  ];
  expect(names.map(unsupportedLayer)).toEqual(["LVM 1", null, null, "firmware RAID", "ZFS", "DRBD", "VDO", "Stratis"]);
  expect(describeNoFilesystem("swap")).toBe("swap space");
});

import { describe, expect, test } from "bun:test";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { BootError } from "../../../src/problems/errors.ts";

const warn = (cmdline: string, crypttab: string | null = null) =>
  makePlan({ cmdline, manifest: null, crypttab }).warnings.filter((line) => line.includes("may be a name of"));
const UUID = "c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c";

describe("a device that levain does not set up yet is named by its layer", () => {
  test.each([
    ["root=/dev/drbd/by-res/r0/0", "/dev/drbd/by-res/r0/0", "DRBD"],
    ["root=/dev/zvol/tank/root", "/dev/zvol/tank/root", "ZFS"],
  ])("%s", (cmdline, spec, layer) => {
    expect(warn(cmdline)).toEqual([`${spec} may be a name of ${layer}: ${layer} is not supported yet`]);
  });

  test.each(["zfs:AUTO", "ZFS=", "zfs"])("root=%s is refused", (root) => {
    expect(() => makePlan({ cmdline: `root=${root}`, manifest: null })).toThrow(BootError);
    try {
      makePlan({ cmdline: `root=${root}`, manifest: null });
    } catch (error) {
      expect((error as BootError).seen.join()).toContain(
        "Expected zfs:POOL/DATASET (a root that the pool names is not supported yet)",
      );
    }
  });

  test("OSTree is refused by name", () => {
    try {
      makePlan({ cmdline: "root=UUID=a-b ostree=/ostree/boot.1/fedora/0123/0", manifest: null });
    } catch (error) {
      expect((error as BootError).seen).toEqual([
        "ostree=: OSTree is not supported yet, so another root would be booted",
      ]);
    }
    expect.assertions(1);
  });
});

describe("no false alarm", () => {
  test.each([
    "root=/dev/mapper/root",
    `rd.luks.name=${UUID}=my-root root=/dev/mapper/my-root`,
    `rd.luks.name=${UUID}=my-root root=/dev/disk/by-id/dm-name-my-root`,
    `rd.luks.name=${UUID}=my-disk root=/dev/mapper/my-disk2`,
    `rd.luks.uuid=${UUID} root=/dev/mapper/luks-${UUID}`,
    "cryptdevice=/dev/sda2:crypt-root root=/dev/mapper/crypt-root",
    "rd.crypt.plain=LABEL=x:plain-root root=/dev/mapper/plain-root",
    "root=/dev/cciss/c0d0p1",
    "root=/dev/etherd/e0.0",
    "root=/dev/disk/by-path/pci-0000:00:1f.2-ata-1",
    "root=/dev/disk/by-label/a-b",
    "root=/dev/block/8:1",
    "root=/dev/mmcblk0p2",
    "root=/dev/mtdblock2",
    "root=/dev/dm-0",
    "root=/dev/mapper/a-b-c",
    "root=/dev/mapper/cciss-c0d0p1p1",
    "root=/dev/disk/by-id/dm-name-cciss-c0d0p1p1",
  ])("%s", (cmdline) => expect(warn(cmdline)).toEqual([]));

  test("on a volume of crypttab", () => {
    expect(warn("root=/dev/mapper/my-root", `my-root UUID=${UUID} none luks\n`)).toEqual([]);
  });
});

test("an ISO file without an image is warned about", () => {
  expect(makePlan({ cmdline: "root=LABEL=INNER iso-scan/filename=/disk.img", manifest: null }).warnings).toEqual([
    "the ISO file is not used: it needs rd.image= or root=live:",
  ]);
});

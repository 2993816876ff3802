import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { BlockDevice } from "../../../src/devices/block-devices.ts";
import { findMount, findMountOf, isMounted, parseMountInfo } from "../../../src/filesystems/mounts.ts";
import { resolveIn } from "../../../src/filesystems/resolve.ts";
import type { DeviceSpec } from "../../../src/parameters/device-spec.ts";
import { matchDevices } from "../../../src/storage/match.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

describe("resolveIn", () => {
  const machine = fakeMachine({
    files: {
      "/root/usr/bin/sh": "x",
      "/root/bin": { link: "usr/bin" },
      "/root/sbin/init": { link: "/bin/sh" },
      "/root/up": { link: "../../../../usr/bin/sh" },
      "/root/loop": { link: "loop" },
      "/root/away": { link: "/outside" },
      "/outside": "y",
    },
  });

  for (const [path, real] of [
    ["/bin/sh", "/root/usr/bin/sh"],
    ["/sbin/init", "/root/usr/bin/sh"],
    ["/up", "/root/usr/bin/sh"],
    ["/bin/../../../bin/./sh", "/root/usr/bin/sh"],
    ["/", "/root/"],
    ["/away", null],
    ["/loop", null],
    ["/missing/x", null],
  ] as const) {
    test(`${path} is ${real ?? "nowhere"}, seen from inside`, () => {
      expect(resolveIn(machine, "/root", path)).toBe(real);
    });
  }

  test("/ is a root too", () => {
    expect(resolveIn(machine, "/", "/outside")).toBe("/outside");
  });

  test("no path leads out of the root", () => {
    const part = fc.constantFrom("..", ".", "", "bin", "usr", "up", "away", "sbin", "init", "sh", "outside", "root");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        expect(resolveIn(machine, "/root", `/${parts.join("/")}`) ?? "/root").toStartWith("/root");
      }),
    );
  });
});

describe("the mount table", () => {
  const TEXT = [
    "22 1 0:1 / / rw - rootfs none rw",
    "23 22 0:21 / /proc rw,nosuid shared:5 master:1 - proc proc rw",
    "24 22 8:1 / /mnt/my\\040disk\\134\\011 ro - vfat /dev/sda\\0401 ro",
    "25 22 8:2 / /proc rw - tmpfs tmpfs rw",
    "nonsense",
    "",
  ].join("\n");

  test("is read as proc(5) has it; the topmost counts", () => {
    const mounts = parseMountInfo(TEXT);
    expect(mounts).toHaveLength(4);
    expect(findMount(mounts, "/mnt/my disk\\\t")).toMatchObject({
      target: "/mnt/my disk\\\t",
      type: "vfat",
      source: "/dev/sda 1",
      options: "ro",
    });
    expect(findMount(mounts, "/proc")?.type).toBe("tmpfs");
    expect(findMount(mounts, "/pro")).toBeNull();
  });

  test("says which mount a file lies on", () => {
    const mounts = parseMountInfo(TEXT);
    const targetOf = (path: string) => findMountOf(mounts, path)?.target;
    expect(targetOf("/proc/1/stat")).toBe("/proc");
    expect(targetOf("/processes")).toBe("/");
    expect(targetOf("/")).toBe("/");
    expect(findMountOf([], "/a/b")).toBeNull();
  });

  test("lists the mounts of this machine", () => {
    expect(isMounted(fakeMachine(), "/proc")).toBeTrue();
    expect(isMounted(fakeMachine(), "/sysroot")).toBeFalse();
  });

  test("nothing in it makes the reader throw", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseMountInfo(text)));
  });
});

describe("matchDevices", () => {
  const device = (node: string, more: Partial<BlockDevice>): BlockDevice => ({
    name: node.slice(5),
    node,
    number: "8:0",
    sizeBytes: 512,
    partition: null,
    facts: { type: null, label: null, uuid: null, partitionTable: null, ambivalent: [] },
    unreadable: null,
    ...more,
  });
  const facts = { type: "ext4", label: "Root", uuid: "AB-cd", partitionTable: null, ambivalent: [] };
  const sda1 = device("/dev/sda1", { number: "8:1", partition: { disk: "sda", index: 1 } });
  const sda2 = device("/dev/sda2", { number: "8:2", partition: { disk: "sda", index: 2 }, facts });
  const locked = { type: "crypto_LUKS", label: null, uuid: "AB-CD-ef", partitionTable: null, ambivalent: [] };
  const sdb2 = device("/dev/sdb2", { number: "8:18", partition: { disk: "sdb", index: 2 }, facts: locked });
  const devices = [sda1, sda2, sdb2];
  const name = (one: BlockDevice) =>
    one === sda1
      ? { uuid: "1111-AA", label: "efi part", autoType: "c12a" }
      : { uuid: null, label: null, autoType: one === sda2 || one === sdb2 ? "4f68" : null };

  test("an ISO that was written to a stick is matched by its partition", () => {
    const iso = {
      type: "iso9660",
      label: "LIVE",
      uuid: "2025-01-01-00-00-00-00",
      partitionTable: null,
      ambivalent: [],
    };
    const disk = device("/dev/sdc", { facts: { ...iso, partitionTable: "dos" } });
    const part = device("/dev/sdc1", { partition: { disk: "sdc", index: 1 }, facts: iso });
    const cdrom = device("/dev/sr0", { facts: iso });
    const look = { name, links: () => [], holds: () => false };
    for (const spec of [
      { by: "label", value: "LIVE" },
      { by: "uuid", value: iso.uuid },
    ] as const) {
      expect(matchDevices(spec, [disk, part], look)).toEqual([part]);
      expect(matchDevices(spec, [disk], look)).toEqual([disk]);
      expect(matchDevices(spec, [cdrom, disk, part], look)).toEqual([cdrom, part]);
    }
    const file = { by: "file", paths: ["/live/x"], among: "all" } as const;
    expect(matchDevices(file, [disk, part], { ...look, holds: () => true })).toEqual([part]);
  });

  const cases: readonly (readonly [DeviceSpec, readonly BlockDevice[]])[] = [
    [{ by: "path", path: "/dev/sda2" }, [sda2]],
    [{ by: "path", path: "/dev/disk/by-id/ata-DISK-part2" }, [sda2]],
    [{ by: "path", path: "/dev/disk/by-id/ata\\x2dDISK-part2" }, [sda2]],
    [{ by: "number", major: 8, minor: 18 }, [sdb2]],
    [{ by: "label", value: "Root" }, [sda2]],
    [{ by: "label", value: "root" }, []],
    [{ by: "luks", prefix: "ab-c" }, [sdb2]],
    [{ by: "luks", prefix: "b-cd" }, []],
    [{ by: "uuid", value: "ab-CD" }, [sda2]],
    [{ by: "partlabel", value: "efi part" }, [sda1]],
    [{ by: "partuuid", value: "1111-aa", partitionOffset: 0 }, [sda1]],
    [{ by: "partuuid", value: "1111-aa", partitionOffset: 1 }, [sda2]],
    [{ by: "partuuid", value: "1111-aa", partitionOffset: 2 }, []],
    [{ by: "sibling", index: 1, of: { by: "label", value: "Root" } }, [sda1]],
    [{ by: "sibling", index: 3, of: { by: "label", value: "Root" } }, []],
    [{ by: "sibling", index: 2, of: { by: "path", path: "/dev/sdc" } }, []],
    [{ by: "discoverable", esp: "1111-aa", type: "4F68" }, [sda2]],
    [{ by: "discoverable", esp: "1111-bb", type: "4f68" }, []],
    [{ by: "discoverable", esp: null, type: "4f68" }, []],
    [{ by: "file", paths: ["/x"], among: "all" }, [sdb2]],
  ];
  for (const [spec, found] of cases) {
    test(JSON.stringify(spec), () => {
      const links = (one: BlockDevice) => (one === sda2 ? ["/dev/disk/by-id/ata-DISK-part2"] : []);
      expect(matchDevices(spec, devices, { name, links, holds: (one) => one === sdb2 })).toEqual(found);
    });
  }
});

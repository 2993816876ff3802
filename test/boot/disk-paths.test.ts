import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import { fakeImage } from "../support/fake-images.ts";
import { EXTENT_BYTES, extentsOf, fakeId, fakePhysicalVolume, groupText } from "../support/fake-lvm.ts";

// Whole boots of machines that reach a disk over several paths: two cables, two controllers.

const NAA = "naa.5000c500a0b1c2d3";
const root = () => fakeImage("ext4", { label: "ROOT" }, ROOT_TREE);
const wwids = (names: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(names).map(([name, wwid], index) => [
      `/devices/pci0000:00/0000:00:0${index + 1}.0/block/${name}/device/wwid`,
      `${wwid}\n`,
    ]),
  );
const both = wwids({ sda: NAA, sdb: NAA });

function boot(words: string, more: FakeBootOptions = {}) {
  const disks = ["sda", "sdb"].map((name) => ({ name, partitions: [{ image: root() }] }));
  return fakeBoot({ cmdline: words, disks, sys: both, ...more });
}
const mountedFrom = ({ journal }: ReturnType<typeof boot>) =>
  journal.flatMap((line) => /^mount \w+ (\S+) at \/sysroot/.exec(line)?.[1] ?? []);

describe("two paths to one disk", () => {
  test.each([
    "root=LABEL=ROOT",
    "root=/dev/sdb1",
    "root=/dev/sda1",
    "root=/dev/disk/by-id/wwn-0x5000c500a0b1c2d3-part1",
    "root=SIBLING=1:LABEL=ROOT",
  ])("are one device: %s", (words) => {
    const result = boot(words);
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(mountedFrom(result)).toEqual(["/dev/sda1"]);
    expect(result.console).not.toContain("warning");
  });

  test("are two disks if their WWIDs differ, or they have none", () => {
    for (const sys of [wwids({ sda: NAA, sdb: "naa.5000c500a0b1c2d4" }), {}])
      expect(boot("root=LABEL=ROOT", { sys }).console.replaceAll(/\n +/g, " ")).toContain(
        "2 devices match LABEL=ROOT: /dev/sda1 and /dev/sdb1; using /dev/sda1",
      );
  });

  test("are two disks of ATA if their serial numbers differ: there are models of which each disk has the same WWID", () => {
    const pages = ["sda", "sdb"].flatMap((name, index) => {
      const directory = `/devices/pci0000:00/0000:00:0${index + 1}.0/block/${name}/device`;
      return [
        [`${directory}/vendor`, "ATA     \n"],
        [`${directory}/vpd_pg80`, `\0\x80\0\x04SN0${index}`],
      ];
    });
    const { console } = boot("root=LABEL=ROOT", { sys: { ...both, ...Object.fromEntries(pages) } });
    expect(console).toContain("2 devices match LABEL=ROOT");
  });

  test("a stick with the WWID of the machine's disk is no path to it", () => {
    const disks = [
      { name: "sda", partitions: [{ image: root() }], isRemovable: true },
      { name: "sdb", partitions: [{ image: root() }] },
    ];
    expect(boot("root=LABEL=ROOT", { disks }).console).toContain("2 devices match LABEL=ROOT");
  });

  test("are named in the report of a search in vain", () => {
    const { console } = boot("root=LABEL=GONE rd.timeout=1");
    expect(console.replaceAll(/\s+/g, " ")).toContain('/dev/sdb1 ext4 "ROOT" (another path to /dev/sda1)');
  });

  test("the one that is in use stays the one that is used", () => {
    const tree = {
      ...ROOT_TREE,
      "/etc": { directory: true },
      "/etc/fstab": "LABEL=DATA /srv ext4 x-initrd.mount\n",
    } as const;
    const image = fakeImage("ext4", { label: "ROOT" }, { ...tree, "/srv": { directory: true } });
    const disks = [
      // It is the first by its name, but comes when the other one is mounted.
      { name: "sda", partitions: [{ image }, { image: fakeImage("ext4", { label: "DATA" }) }], arrivesAtMs: 3000 },
      { name: "sdb", partitions: [{ image }, { image: fakeImage("ext4", { label: "DATA" }) }] },
    ];
    const result = boot("root=LABEL=ROOT rd.break=layers", {
      disks,
      sys: wwids({ sdb: NAA, sda: NAA }),
      person: [(machine) => machine.sleepMs(4000)],
    });
    expect(result.journal.filter((line) => line.startsWith("mount ext4"))).toEqual([
      "mount ext4 /dev/sdb1 at /sysroot (ro)",
      "mount ext4 /dev/sdb2 at /sysroot/srv",
    ]);
  });

  test("the members of a volume group have one place each", () => {
    const bytes = root();
    const extents = Math.max(4, extentsOf(bytes.bytes));
    const data = Buffer.concat([bytes.bytes], extents * EXTENT_BYTES);
    const group = {
      members: { pv0: fakeId("a") },
      volumes: { root: { segments: [{ on: "pv0", from: 0, extents }] } },
    };
    const content = fakePhysicalVolume({ id: fakeId("a"), text: groupText(group), data });
    const result = boot("root=/dev/vg0/root", {
      disks: ["sda", "sdb"].map((name) => ({ name, content })),
      images: [{ ...bytes, bytes: data }],
      files: {
        ...INITRAMFS,
        "/lib/modules/6.1.0-fake/modules.dep": "kernel/dm-mod.ko:\n",
        "/lib/modules/6.1.0-fake/kernel/dm-mod.ko": "module",
      },
      modules: { dm_mod: CRYPT_MODULES.dm_mod },
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).not.toContain("have the same physical volume UUID");
  });
});

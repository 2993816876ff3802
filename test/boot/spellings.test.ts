import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage, stick } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { partitionDisk } from "../support/fake-partitions.ts";

const withRoot = (cmdline: string, more: FakeBootOptions = {}): FakeBootOptions => ({
  cmdline,
  disks: [{ name: "vda", image: rootImage() }],
  ...more,
});

/** The console without its line breaks. */
const unwrapped = (options: FakeBootOptions) => fakeBoot(options).console.replaceAll(/\n +/g, " ");

test.each([
  ...["UUID=f1a5-4000", "/dev/disk/by-uuid/f1a5-4000", "LABEL=FLASH", "/dev/disk/by-label/FLASH"],
  "LABEL=F\\x4cASH",
])(
  "a live medium on a FAT is found by its label, its serial number in small letters and udev's escapes: %s",
  (spec) => {
    const { disk, squashfs } = stick();
    const { end, journal } = fakeBoot({
      cmdline: `root=live:${spec} rd.live.image`,
      disks: [{ name: "sda", image: disk }],
      images: [squashfs],
    });
    expect(journal).toContain("mount vfat /dev/sda at /run/levain/medium (ro)");
    expect(journal).toContain("mount squashfs /dev/loop0 at /run/levain/lower (ro)");
    expect(journal.join("\n")).toContain("mount overlay overlay at /sysroot");
    expect(end).toMatchObject({ mode: "switch_root" });
  },
);

test.each([
  ["root=/dev/zvol/tank/root", "ZFS"],
  ["root=/dev/drbd0 quiet", "DRBD"],
])("a root that levain does not set up yet is named at boot: %s", (cmdline, layer) => {
  const [spec] = cmdline.slice("root=".length).split(" ");
  expect(unwrapped(withRoot(`${cmdline} rd.timeout=1`))).toContain(
    `warning   ${spec} may be a name of ${layer}: ${layer} is not supported yet`,
  );
});

test("ostree= is refused by name", () => {
  expect(unwrapped(withRoot("root=LABEL=ROOT ostree=/ostree/boot.1/x"))).toContain(
    "ostree=: OSTree is not supported yet, so another root would be booted",
  );
});

describe("a misspelled parameter is warned about", () => {
  test("on the command line, even with quiet", () => {
    const console = unwrapped(withRoot("root=LABEL=ROOT quiet rd.overlaay=1 rd.lvm=0 nvme.io_timeout=5"));
    expect(console).toContain(
      "rd.overlaay on the kernel command line is not a parameter of levain, ignoring it: did you mean rd.overlay?",
    );
    expect(console).not.toContain("nvme");
    expect(console).not.toContain("rd.lvm");
  });

  test("in the image", () => {
    const manifest = JSON.stringify({ version: 1, kernel: null, parameters: ["rootdeley=60"] });
    expect(unwrapped(withRoot("root=LABEL=ROOT", { files: { "/etc/levain.json": manifest } }))).toContain(
      "rootdeley in levain.toml is not a parameter of levain, ignoring it: did you mean rootdelay=?",
    );
  });
});

describe("an image of a whole disk", () => {
  const inner = fakeImage("ext4", { label: "INNER" }, ROOT_TREE);
  const other = fakeImage("ext4", { label: "OTHER" });
  const esp = { image: fakeImage("vfat", { label: "ESP" }), type: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" };
  const boot = (
    parts: Parameters<typeof partitionDisk>[0],
    line = "rd.image=/disk.img",
    more: readonly FakeImage[] = [],
  ) =>
    fakeBoot({
      cmdline: `root=LABEL=STORE ${line}`,
      disks: [
        { name: "vda", image: fakeImage("ext4", { label: "STORE" }, { "/disk.img": partitionDisk(parts).bytes }) },
      ],
      images: [inner, other, ...more],
    });

  test("boots its root partition", () => {
    const { end, console, journal } = boot([esp, { image: inner }]);
    expect(console).toContain("/disk.img partition 2 (ext4)");
    expect(journal).toContain("mount ext4 /dev/loop0 at /run/levain/lower (ro)");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("can be a layer, or hold the images of a live medium", () => {
    const top = fakeImage("squashfs", {}, { "/etc/top": "" });
    const layered = fakeBoot({
      cmdline: "root=LABEL=ROOT rd.layer=/disk.img",
      disks: [{ name: "vda", image: rootImage("ROOT", { "/disk.img": partitionDisk([esp, { image: top }]).bytes }) }],
      images: [top],
    });
    expect(layered.console).toContain("/disk.img partition 2 (squashfs)");
    const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
    const live = fakeImage("vfat", { label: "LIVE" }, { "/live/filesystem.squashfs": squashfs.bytes });
    const { end, console } = fakeBoot({
      cmdline: "boot=live findiso=/stick.img",
      disks: [{ name: "vda", image: fakeImage("ext4", {}, { "/stick.img": partitionDisk([{ image: live }]).bytes }) }],
      images: [live, squashfs],
    });
    expect(console).toContain("/stick.img partition 1 (vfat)");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("whose root is not clear is reported with its partitions", () => {
    const { end, console, mounts } = boot([esp, { image: other, name: "boot" }, { image: inner }]);
    expect(end).toBe("poweroff");
    expect(console).toContain("the image /disk.img is that of a whole disk");
    expect(console.replaceAll(/\n +/g, " ")).toContain(
      'seen: partition 1: vfat "ESP" partition 2: ext4 "OTHER" "boot" partition 3: ext4 "INNER"',
    );
    expect(mounts.join()).not.toContain("loop");
  });
});

describe("a partition table in a partition", () => {
  const inner = (label = "pmOS_root") =>
    fakeImage("ext4", { label, uuid: "0a1b2c3d-0000-4000-8000-000000000017" }, ROOT_TREE);
  const asDisk = (parts: Parameters<typeof partitionDisk>[0], sectorBytes = 512): FakeImage => ({
    ...fakeImage("squashfs"),
    bytes: partitionDisk(parts, sectorBytes).bytes,
  });
  const DM: FakeBootOptions = {
    modules: { dm_mod: CRYPT_MODULES.dm_mod },
    files: {
      "/lib/modules/6.1.0-fake/modules.dep": "kernel/drivers/md/dm-mod.ko:\n",
      "/lib/modules/6.1.0-fake/kernel/drivers/md/dm-mod.ko": "module",
    },
  };
  const phone = (root: string, image = inner(), more: FakeBootOptions = {}): FakeBootOptions => ({
    ...DM,
    cmdline: `root=${root} rd.timeout=1`,
    disks: [
      {
        name: "sda",
        partitions: [
          { image: fakeImage("vfat", { label: "BOOT" }) },
          {
            image: asDisk([
              { image: fakeImage("ext2", { label: "pmOS_boot" }) },
              { image, name: "root", uuid: "0a1b2c3d-1111-4000-8000-000000000017" },
            ]),
            name: "system",
          },
        ],
      },
    ],
    images: [image],
    ...more,
  });

  test.each([
    "LABEL=pmOS_root",
    "UUID=0A1B2C3D-0000-4000-8000-000000000017",
    "PARTLABEL=root",
    "PARTUUID=0a1b2c3d-1111-4000-8000-000000000017",
    "/dev/mapper/sda2p2",
    "SIBLING=2:LABEL=pmOS_boot",
  ])("holds the root: root=%s", (root) => {
    const { end, console, journal } = fakeBoot(phone(root));
    expect(console).toContain('/dev/mapper/sda2p2 ext4 "pmOS_root"');
    expect(journal).toContain("mount ext4 /dev/mapper/sda2p2 at /sysroot (ro)");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("is left alone if the root is elsewhere", () => {
    for (const root of ["LABEL=BOOT rootfstype=vfat", "PARTLABEL=system rootfstype=ext4"]) {
      expect(fakeBoot(phone(root)).journal.filter((line) => line.startsWith("map "))).toEqual([]);
    }
  });

  test("is left alone for a root that a later driver brings", () => {
    const wanted = rootImage("pmOS_root");
    const { journal, end } = fakeBoot({
      ...phone("LABEL=pmOS_root"),
      images: [wanted],
      disks: [...(phone("").disks ?? []), { name: "vdb", image: wanted }],
    });
    expect(journal.filter((line) => line.startsWith("map "))).toEqual([]);
    expect(journal).toContain("mount ext4 /dev/vdb at /sysroot (ro)");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("is released again if the root is not in it", () => {
    expect.assertions(2);
    const person = [(machine: FakeMachine) => expect(machine.listMappings()).toEqual([])];
    expect(fakeBoot(phone("LABEL=OTHER", inner(), { person })).console).toContain(
      '/dev/mapper/sda2p2 ext4 "pmOS_root"',
    );
  });

  test("with a root of the same label is left alone for a root that comes later", () => {
    const { end, journal } = fakeBoot({
      ...DM,
      cmdline: "root=LABEL=pmOS_root",
      disks: [
        { name: "sda", partitions: [{ image: asDisk([{ image: inner() }]) }] },
        { name: "sdb", image: inner(), arrivesAtMs: 8000 },
      ],
      images: [inner()],
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/sdb at /sysroot (ro)");
    expect(journal.filter((line) => line.startsWith("map "))).toEqual([]);
  });

  test("in a partition of a table in a partition is read, but no further", () => {
    const image = inner("DEEP");
    const nest = (levels: number): FakeImage => (levels === 0 ? image : asDisk([{ image: nest(levels - 1) }]));
    const deep = (levels: number): FakeBootOptions => ({
      ...DM,
      cmdline: "root=LABEL=DEEP rd.timeout=1",
      disks: [{ name: "mmcblk0", partitions: [{ image: nest(levels) }] }],
      images: [image],
    });
    expect(fakeBoot(deep(2)).journal).toContain("mount ext4 /dev/mapper/mmcblk0p1p1p1 at /sysroot (ro)");
    const { end, journal } = fakeBoot(deep(3));
    expect(end).toBe("poweroff");
    expect(journal.filter((line) => line.startsWith("map "))).toHaveLength(2);
  });
});

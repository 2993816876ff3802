import { describe, expect, test } from "bun:test";
import { fakeMember } from "../support/fake-arrays.ts";
import { type FakeBootOptions, fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { hibernatedSwap, hibernateLocation } from "../support/fake-hibernation.ts";
import { fakeImage } from "../support/fake-images.ts";
import { EXTENT_BYTES, extentsOf, type FakeGroup, fakeId, fakePhysicalVolume, groupText } from "../support/fake-lvm.ts";
import { partitionDisk } from "../support/fake-partitions.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const small = rootImage();
const EXTENTS = Math.max(4, extentsOf(small.bytes));
const LUKS = fakeImage("crypto_LUKS", { uuid: "0e1f0a9c-3333-4000-8000-00000000cafe" });
/** An image of whole extents. */
const root = { ...small, bytes: Buffer.concat([small.bytes], EXTENTS * EXTENT_BYTES) };
const FILES = {
  ...INITRAMFS,
  [`${MODULES}/modules.dep`]: "kernel/dm-mod.ko:\n",
  [`${MODULES}/kernel/dm-mod.ko`]: "module",
};
const ONE: FakeGroup = {
  members: { pv0: fakeId("a") },
  volumes: {
    root: { segments: [{ on: "pv0", from: 0, extents: EXTENTS }] },
    other: { segments: [{ on: "pv0", from: EXTENTS, extents: 1 }] },
  },
};
/** What lies on the first disk: the root, and in "other" something that a label may be inside of, so that it is activated. */
const DATA = Buffer.concat([root.bytes, LUKS.bytes]);
const disk = (name: string, group: FakeGroup, rest: Partial<FakeDisk> = {}, id = fakeId("a")): FakeDisk => ({
  name,
  content: fakePhysicalVolume({ id, text: groupText(group), data: DATA }),
  ...rest,
});
const boot = (disks: readonly FakeDisk[], more: FakeBootOptions = {}) =>
  fakeBoot({
    cmdline: "root=/dev/vg0/root",
    images: [root],
    files: FILES,
    modules: { dm_mod: CRYPT_MODULES.dm_mod },
    disks,
    ...more,
  });

const RAID_MODULES = ["dm-mod", "md-mod", "raid1"];
/** What a boot with LVM and Linux RAID has. */
const WITH_RAID = {
  files: {
    ...INITRAMFS,
    [`${MODULES}/modules.dep`]: RAID_MODULES.map((name) => `kernel/${name}.ko:\n`).join(""),
    ...Object.fromEntries(RAID_MODULES.map((name) => [`${MODULES}/kernel/${name}.ko`, "module"])),
  },
  modules: { dm_mod: CRYPT_MODULES.dm_mod, md_mod: {}, raid1: { needs: ["md_mod"] } },
};

/** Boots with the group on a mirror of two disks. */
function bootOnRaid(cmdline = "root=/dev/vg0/root", more: readonly FakeDisk[] = []) {
  const bytes = fakePhysicalVolume({ id: fakeId("a"), text: groupText(ONE), data: root.bytes });
  const image = { type: "LVM2_member", bytes, root: root.root };
  const disks = ["vda", "vdb"].map((name, place) => ({ name, content: fakeMember(image, { place }) }));
  return boot([...disks, ...more], { cmdline, ...WITH_RAID, images: [root, image] });
}

describe("a root in a logical volume", () => {
  test.each([["/dev/vg0/root"], ["/dev/mapper/vg0-root"], ["/dev/disk/by-id/dm-name-vg0-root"], ["LABEL=ROOT"]])(
    "root=%s is activated, and its link is there",
    (spec) => {
      const { end, journal, console } = boot([disk("vda", ONE)], { cmdline: `root=${spec}` });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(journal).toContain("mount ext4 /dev/mapper/vg0-root at /sysroot (ro)");
      expect(journal).toContain("link /dev/vg0/root to ../dm-0");
      expect(console).toContain('root      /dev/mapper/vg0-root ext4 "ROOT"');
    },
  );

  test("on Linux RAID is left so that lvm2 of the real system looks into the array", () => {
    const { end, journal } = bootOnRaid();
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/mapper/vg0-root at /sysroot (ro)");
    expect(journal.filter((line) => line.includes("/b9:0"))).toEqual(["write /run/udev/data/b9:0"]);
  });

  test("on Linux RAID is closed before the array is stopped, if the root is elsewhere", () => {
    const late = { name: "vdz", image: rootImage("OTHER"), arrivesAtMs: 15_000 };
    const { end, journal } = bootOnRaid("root=LABEL=OTHER", [late]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal.filter((line) => /^(?:unmap vg0-root|stop md0)$/.test(line))).toEqual([
      "unmap vg0-root",
      "stop md0",
    ]);
  });

  test("may be an array of volumes of two groups, of which no other volume stays active", () => {
    const disks = ["a", "b"].map((letter, place): FakeDisk => {
      const part = fakeMember(root, { place });
      const extents = extentsOf(part);
      const half = { segments: [{ on: "pv0", from: 0, extents }] };
      const other = { segments: [{ on: "pv0", from: extents, extents: extentsOf(LUKS.bytes) }] };
      const members = { pv0: fakeId(letter) };
      const group = { name: `vg${place}`, id: fakeId(letter), members, volumes: { half, other } };
      const data = Buffer.concat([part, Buffer.alloc(extents * EXTENT_BYTES - part.length), LUKS.bytes]);
      return { name: `vd${letter}`, content: fakePhysicalVolume({ id: fakeId(letter), text: groupText(group), data }) };
    });
    const { end, journal } = boot(disks, { cmdline: "root=LABEL=ROOT", ...WITH_RAID });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/md0 at /sysroot (ro)");
    expect(journal.filter((line) => line.startsWith("unmap")).sort()).toEqual(["unmap vg0-other", "unmap vg1-other"]);
  });

  describe("in a partition of a volume", () => {
    const { bytes, offsets } = partitionDisk([{ image: small }]);
    const extents = extentsOf(bytes);
    const group = (volume: string): FakeGroup => ({
      ...ONE,
      volumes: { [volume]: { segments: [{ on: "pv0", from: 0, extents }] } },
    });
    const inside = (volume: string, cmdline: string) => {
      const data = Buffer.concat([bytes], extents * EXTENT_BYTES);
      const content = fakePhysicalVolume({ id: fakeId("a"), text: groupText(group(volume)), data });
      // The partition ends where the image does.
      const [start = 0] = offsets;
      const image = { ...small, bytes: data.subarray(start, start + Math.ceil(small.bytes.length / 512) * 512) };
      return boot([{ name: "vda", content }], { cmdline: `${cmdline} rd.timeout=12`, images: [image] });
    };

    test.each([
      ["vm", "vg0-vm1"],
      ["vm2", "vg0-vm2p1"],
    ])("of %s, root=/dev/mapper/%s is mapped as kpartx does", (volume, name) => {
      const { end, journal } = inside(volume, `root=/dev/mapper/${name}`);
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(journal).toContain(`map ${name} as part1-LVM-${"g".repeat(32)}${"l".repeat(32)}: linear`);
    });

    test("a label does not find it: it may be the disk of a virtual machine", () => {
      expect(inside("vm", "root=LABEL=ROOT").journal.join("\n")).not.toContain("part1-LVM-");
    });
  });

  test("no other volume is activated for a path, and for a label none stays active", () => {
    expect(boot([disk("vda", ONE)]).journal.join("\n")).not.toContain("vg0-other");
    const { journal } = boot([disk("vda", ONE)], { cmdline: "root=LABEL=ROOT" });
    expect(journal).toContain(`map vg0-root as LVM-${"g".repeat(32)}${"l".repeat(32)}: linear`);
    expect(journal).toContain("unmap vg0-other");
    expect(journal).not.toContain("unmap vg0-root");
  });

  test("a group with the name of another directory in /dev gets no link there", () => {
    const { end, journal } = boot([disk("vda", { ...ONE, name: "shm" })], {
      cmdline: "root=/dev/mapper/shm-root",
      before: (machine) => machine.makeDirectory("/dev/shm"),
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal.filter((line) => line.includes("/dev/shm/"))).toEqual([]);
  });

  test("its parts may lie on two disks", () => {
    const first = 2;
    const group: FakeGroup = {
      members: { pv0: fakeId("a"), pv1: fakeId("b") },
      volumes: {
        root: {
          segments: [
            { on: "pv0", from: 0, extents: first },
            { on: "pv1", from: 1, extents: EXTENTS - first },
          ],
        },
      },
    };
    const halves = [
      root.bytes.subarray(0, first * EXTENT_BYTES),
      Buffer.concat([Buffer.alloc(EXTENT_BYTES), root.bytes.subarray(first * EXTENT_BYTES)]),
    ];
    const disks = halves.map((data, index) => ({
      name: `vd${"ab"[index]}`,
      content: fakePhysicalVolume({ id: fakeId("ab"[index] ?? ""), text: groupText(group), data }),
    }));
    expect(boot(disks).end).toMatchObject({ mode: "switch_root" });
  });

  test("rd.lvm=0 activates nothing, rd.lvm.lv= nothing else", () => {
    for (const words of ["rd.lvm=0", "rd.lvm.lv=vg0/other", "rd.lvm.vg=vg1"]) {
      const { end, journal } = boot([disk("vda", ONE)], { cmdline: `root=LABEL=ROOT rd.timeout=3 rdshell=0 ${words}` });
      expect(end).toBe("halt");
      expect(journal.join("\n")).not.toContain("vg0-root");
    }
  });
});

/** The console of a boot that fails, without its line breaks. */
const report = (disks: readonly FakeDisk[], cmdline = "root=/dev/vg0/root rd.timeout=3 rdshell=0") => {
  const { end, console } = boot(disks, { cmdline });
  expect(end).toBe("halt");
  return console.replace(/\s+/g, " ");
};

describe("a group that is not used is named, and why", () => {
  test.each<[string, Partial<FakeGroup>]>([
    ["it is exported", { status: ["RESIZEABLE", "READ", "WRITE", "EXPORTED"] }],
    ["it is shared between machines (lock type sanlock)", { more: 'lock_type = "sanlock"' }],
    ["it is shared between machines (lock type clvm)", { status: ["RESIZEABLE", "READ", "WRITE", "CLUSTERED"] }],
    ['it belongs to the system ID "other"', { more: 'system_id = "other"' }],
  ])("%s", (why, change) => {
    expect(report([disk("vda", { ...ONE, ...change })])).toContain(`the volume group "vg0" is not used: ${why}`);
  });

  test("two devices with one UUID", () => {
    expect(report([disk("vda", ONE), disk("vdb", ONE)])).toContain(
      `/dev/vda and /dev/vdb have the same physical volume UUID, ${fakeId("a")}`,
    );
  });

  test("two groups with one name", () => {
    const other = { ...ONE, id: fakeId("h"), members: { pv0: fakeId("b") } };
    expect(report([disk("vda", ONE), disk("vdb", other, {}, fakeId("b"))])).toContain(
      `two groups have this name, with the UUIDs ${fakeId("g")} and ${fakeId("h")}`,
    );
  });

  test("a missing physical volume, by UUID and size", () => {
    const group = { ...ONE, members: { pv0: fakeId("b"), pv1: fakeId("a") } };
    expect(report([disk("vda", group)])).toContain(
      `the logical volume vg0/root is not activated: the physical volume ${fakeId("b")} (10 GiB) is missing`,
    );
  });

  test("a name that no volume has, with those that the group has", () => {
    expect(report([disk("vda", ONE)], "root=/dev/vg0/rooot rd.timeout=3 rdshell=0")).toContain(
      'the volume group "vg0" has no volume "rooot": it has root, other',
    );
  });

  test("also one that rd.lvm.lv= names", () => {
    const cmdline = "root=LABEL=ROOT rd.lvm.lv=vg0/rooot rd.timeout=3 rdshell=0";
    expect(report([disk("vda", ONE)], cmdline)).toContain('the volume group "vg0" has no volume "rooot"');
  });

  test("once if root= and rd.lvm.lv= name it", () => {
    const said = report(
      [disk("vda", ONE, { isRemovable: true })],
      "root=/dev/vg0/rooot rd.lvm.lv=vg0/rooot rd.timeout=3 rdshell=0",
    );
    expect(said.split('has no volume "rooot"')).toHaveLength(2);
  });

  test("a type of volume that is not supported", () => {
    const group = { ...ONE, volumes: { root: { ...ONE.volumes["root"], type: "vdo" } } } as FakeGroup;
    expect(report([disk("vda", group)])).toContain("vg0/root is not activated: VDO is not supported");
  });
});

test("a volume whose physical volumes are there is activated although another one is missing, when that has been waited for", () => {
  const group = { ...ONE, members: { ...ONE.members, pv1: fakeId("b") } };
  const { end, endMs, console } = boot([disk("vda", group)]);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBeGreaterThan(15_000);
  expect(console).toContain("1 of 2 physical volumes are present");
});

test("a disk of the group that never answers is waited for as one that is missing", () => {
  const group = { ...ONE, members: { ...ONE.members, pv1: fakeId("b") } };
  const hanging = disk("vdb", group, { answersAfterMs: 1e9 }, fakeId("b"));
  const { end, endMs, console } = boot([disk("vda", group), hanging]);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBeLessThan(40_000);
  expect(console).toContain("/dev/vdb");
});

test("a volume that lvm2 skips, as a thin snapshot with the filesystem of the root, is activated only by its path", () => {
  const skipped = { ...ONE.volumes["root"], status: ["READ", "WRITE", "VISIBLE", "ACTIVATION_SKIP"] };
  const group = { ...ONE, volumes: { old: skipped, ...ONE.volumes } } as FakeGroup;
  const { journal, console } = boot([disk("vda", group)], { cmdline: "root=LABEL=ROOT" });
  expect(journal.join("\n")).not.toContain("vg0-old");
  expect(console).not.toContain("devices match");
  expect(boot([disk("vda", group)], { cmdline: "root=/dev/vg0/old" }).end).toMatchObject({ mode: "switch_root" });
});

test("a metadata area with a wrong checksum is ignored and named", () => {
  const content = fakePhysicalVolume({ id: fakeId("a"), text: groupText(ONE), data: root.bytes, damage: "text" });
  expect(report([{ name: "vda", content }])).toContain(
    "LVM on /dev/vda: metadata area at 4096: wrong checksum of its text",
  );
});

describe("a root that the group cannot give", () => {
  const vdo = { ...ONE, volumes: { root: { ...ONE.volumes["root"], type: "vdo" } } } as FakeGroup;
  const failed = (group: FakeGroup, cmdline = "root=/dev/vg0/root", rest: Partial<FakeDisk> = {}) =>
    boot([disk("vda", group, rest)], { cmdline: `${cmdline} rdshell=0` });

  test.each([
    ["is of a type that is not supported", vdo, "root=/dev/vg0/root", "VDO is not supported"],
    ["does not exist", ONE, "root=/dev/mapper/vg0-rooot", 'has no volume "rooot"'],
  ])("is not waited for if it %s", (_, group, cmdline, words) => {
    const { end, endMs, console } = failed(group, cmdline);
    expect(end).toBe("halt");
    expect(endMs).toBeLessThan(5000);
    expect(console.replace(/\s+/g, " ")).toContain(words);
  });

  test("is waited for if another group may still have it", () => {
    expect(failed(vdo, "root=/dev/vg0/root", { isRemovable: true }).endMs).toBeGreaterThan(20_000);
    expect(failed(vdo, "root=/dev/vg0/root rd.luks.uuid=1234").endMs).toBeGreaterThan(20_000);
    expect(
      failed({ ...ONE, members: { ...ONE.members, pv1: fakeId("b") } }, "root=/dev/vg0/rooot").endMs,
    ).toBeGreaterThan(20_000);
  });

  test("is not waited for longer than the fallback, which is booted", () => {
    const { end } = boot([disk("vda", vdo), { name: "vdb", image: rootImage("SPARE") }], {
      cmdline: "root=/dev/vg0/root rootfallback=LABEL=SPARE",
    });
    expect(end).toMatchObject({ mode: "switch_root" });
  });
});

describe("a stick", () => {
  const STICK = { isRemovable: true };

  test("with a group of the same name is not used", () => {
    const forged = { ...ONE, id: fakeId("h"), members: { pv0: fakeId("b") } };
    const { journal } = boot([disk("sdb", forged, STICK, fakeId("b")), disk("vda", ONE)]);
    expect(journal).toContain("mount ext4 /dev/mapper/vg0-root at /sysroot (ro)");
  });

  test("with hundreds of volumes does not hold up the boot, and is used if its volume is named", () => {
    const many = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => {
        const id = `${fakeId("x").slice(0, -6)}${String(index).padStart(6, "0")}`;
        return [`v${index}`, { id, segments: [{ on: "pv0", from: 0, extents: index === 7 ? EXTENTS : 1 }] }];
      }),
    );
    const crowd = { ...ONE, name: "crowd", id: fakeId("h"), members: { pv0: fakeId("b") }, volumes: many };
    const stick = disk("sda", crowd, STICK, fakeId("b"));
    const alone = boot([stick], { cmdline: "root=LABEL=ROOT rd.timeout=3 rdshell=0" });
    expect(alone.journal.filter((line) => line.startsWith("map "))).toEqual([]);
    expect(alone.console.replace(/\s+/g, " ")).toContain("it is on a stick and has 120 volumes");
    expect(boot([stick], { cmdline: "root=/dev/crowd/v7" }).end).toMatchObject({ mode: "switch_root" });
  });

  test("is not looked into if a disk of the machine has the root", () => {
    const other = { ...ONE, name: "vg1", id: fakeId("h"), members: { pv0: fakeId("b") } };
    const { end, journal } = boot([disk("sda", other, STICK, fakeId("b")), disk("vda", ONE)], {
      cmdline: "root=LABEL=ROOT",
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal.join("\n")).not.toContain("map vg1-");
  });

  test("does not redefine a group of the machine", () => {
    const forged: FakeGroup = {
      ...ONE,
      seqno: 99,
      members: { pv0: fakeId("a"), pv1: fakeId("b") },
      volumes: { root: { segments: [{ on: "pv1", from: 0, extents: EXTENTS }] } },
    };
    expect(report([disk("sdb", forged, STICK, fakeId("b")), disk("vda", ONE)])).toContain("on a stick (/dev/sdb)");
  });
});

describe("a volume group that is not there is named", () => {
  const alone = (name: string): FakeDisk => ({ name, content: fakePhysicalVolume({ id: fakeId("b"), text: null }) });
  const report = (disks: readonly FakeDisk[], cmdline: string) => {
    const { end, console } = boot(disks, { cmdline: `${cmdline} rd.timeout=2 rdshell=0` });
    expect(end).toBe("halt");
    return console.replaceAll(/\n +/g, " ");
  };

  test.each(["/dev/vg0/root", "/dev/mapper/vg0-root"])(
    "root=%s, and a disk of a group whose metadata is missing",
    (root) => {
      const text = report([alone("vda")], `root=${root}`);
      expect(text).toContain(
        "the volume group of /dev/vda is not known: no physical volume that is present has its metadata",
      );
      expect(text).toContain('no volume group "vg0" was found');
      expect(text).toContain("hint: attach all disks of the volume group");
      expect(text).not.toContain("levain image --module");
    },
  );

  test("root=UUID=, and such a disk: LVM is the reason", () => {
    const text = report([alone("vda")], "root=UUID=11111111-1111-4111-8111-000000000012");
    expect(text).toContain("the volume group of /dev/vda is not known");
    expect(text).not.toContain("no volume group");
  });

  test("another group is present, whose disk without metadata is known", () => {
    const members = { pv0: fakeId("a"), pv1: fakeId("b") };
    const text = report([disk("vda", { ...ONE, name: "data", members }), alone("vdb")], "root=/dev/vg0/root");
    expect(text).toContain('there is no volume group "vg0", but data');
    expect(text).toContain("correct the name of the volume group in root=");
    expect(text).not.toContain("is not known");
  });

  test("no disk has LVM: a path with two parts may be something else", () => {
    expect(report([{ name: "vda", image: rootImage("OTHER") }], "root=/dev/cciss/c0d0p1")).not.toContain(
      "volume group",
    );
  });
});

describe("a group of which a part is on a stick", () => {
  const group: FakeGroup = {
    members: { pv0: fakeId("b"), pv1: fakeId("a") },
    volumes: { root: { segments: [{ on: "pv1", from: 0, extents: EXTENTS }] } },
  };
  const disks = [disk("vda", group, {}, fakeId("b")), disk("sda", group, { isRemovable: true })];

  test("is activated when no disk of the machine has come in its place", () => {
    const { end, endMs } = boot(disks);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeGreaterThan(9000);
  });

  test("is not activated if one comes", () => {
    const text = report(
      [...disks, disk("vdb", group, { arrivesAtMs: 2000 })],
      "root=/dev/vg0/root rd.timeout=6 rdshell=0",
    );
    expect(text).toContain(`/dev/sda and /dev/vdb have the same physical volume UUID, ${fakeId("a")}`);
  });
});

describe("rd.lvm.partial", () => {
  const group = { ...ONE, members: { pv0: fakeId("b"), pv1: fakeId("a") } };

  test("does not activate a linear volume whose physical volume is missing", () => {
    expect(report([disk("vda", group)], "root=/dev/vg0/root rd.timeout=3 rdshell=0 rd.lvm.partial")).toContain(
      `vg0/root is not activated: the physical volume ${fakeId("b")} (10 GiB) is missing`,
    );
  });
});

const SWAP = "0e1f0a9c-1111-4000-8000-00000000cafe";
const LATE_SWAP: FakeDisk = { name: "vdb", image: hibernatedSwap(SWAP), arrivesAtMs: 5000 };

describe("a volume to which the kernel writes", () => {
  const volumes = {
    root: { segments: [{ on: "pv0", from: 0, extents: EXTENTS }] },
    mirrored: {
      type: "mirror",
      segments: [{ on: "", from: 0, extents: 1 }],
      lines: 'mirror_count = 1\nregion_size = 1024\nmirrors = ["pv0", 0]',
    },
  };
  const group: FakeGroup = { members: { pv0: fakeId("a") }, volumes };
  const more: FakeBootOptions = {
    modules: { dm_mod: CRYPT_MODULES.dm_mod, dm_mirror: { needs: ["dm_mod"], targets: { mirror: [1, 14, 0] } } },
    files: {
      ...FILES,
      [`${MODULES}/modules.dep`]: "kernel/dm-mod.ko:\nkernel/dm-mirror.ko: kernel/dm-mod.ko\n",
      [`${MODULES}/kernel/dm-mirror.ko`]: "module",
    },
  };

  test("is not activated before a resume while the swap space is waited for", () => {
    const cmdline = `root=LABEL=ROOT resume=UUID=${SWAP}`;
    const content = fakePhysicalVolume({ id: fakeId("a"), text: groupText(group), data: LUKS.bytes });
    const { end, journal } = boot([{ name: "vda", content }, LATE_SWAP], { ...more, cmdline });
    expect(end).toBe("resume");
    expect(journal.join("\n")).toContain("map vg0-root");
    expect(journal.join("\n")).not.toContain("map vg0-mirrored");
  });

  test.each(["/dev/vg0/mirrored", "UUID=0e1f0a9c-2222-4000-8000-00000000cafe"])(
    "is not activated before a resume from where systemd's variable says: root=%s",
    (root) => {
      const location = hibernateLocation(JSON.stringify({ uuid: SWAP, offset: 0 }));
      const swap: FakeDisk = { name: "vdb", image: hibernatedSwap(SWAP) };
      const { end, journal } = boot([disk("vda", group), swap], { ...more, ...location, cmdline: `root=${root}` });
      expect(end).toBe("resume");
      expect(journal.join("\n")).not.toContain("map vg0-mirrored");
    },
  );
});

describe("a root with a snapshot that is not thin", () => {
  const after = EXTENTS;
  const group: FakeGroup = {
    members: { pv0: fakeId("a") },
    volumes: {
      root: { segments: [{ on: "pv0", from: 0, extents: EXTENTS }] },
      old: { status: ["READ", "WRITE"], segments: [{ on: "pv0", from: after, extents: 1 }] },
      snapshot0: {
        type: "snapshot",
        segments: [{ on: "", from: 0, extents: EXTENTS }],
        lines: 'chunk_size = 8\norigin = "root"\ncow_store = "old"',
      },
    },
  };
  const dm_snapshot = { needs: ["dm_mod"], targets: { snapshot: [1, 16, 0], "snapshot-origin": [1, 9, 0] } } as const;
  const start = (cmdline: string) =>
    boot([disk("vda", group)], {
      cmdline,
      files: {
        ...FILES,
        [`${MODULES}/modules.dep`]: "kernel/dm-mod.ko:\nkernel/dm-snapshot.ko: kernel/dm-mod.ko\n",
        [`${MODULES}/kernel/dm-snapshot.ko`]: "module",
      },
      modules: { dm_mod: CRYPT_MODULES.dm_mod, dm_snapshot },
    });

  test.each(["root=LABEL=ROOT", "root=/dev/vg0/root"])("%s is the origin, and the snapshot stays active", (cmdline) => {
    const { end, journal, console } = start(cmdline);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/mapper/vg0-root at /sysroot (ro)");
    expect(journal.filter((line) => line.startsWith("map ")).map((line) => line.split(" ")[1])).toEqual([
      "vg0-root-real",
      "vg0-old-cow",
      "vg0-old",
      "vg0-root",
    ]);
    expect(journal.filter((line) => line.startsWith("unmap "))).toEqual([]);
    expect(console).not.toContain("devices match");
    expect(console).toMatch(/^ {2}root +\/dev\/mapper\/vg0-root ext4 "ROOT" +0 ms$/m);
  });

  test("the search for a hibernated system does not begin to merge it", () => {
    const { snapshot0 } = group.volumes;
    const lines = snapshot0?.lines?.replace("cow_store", "merging_store") ?? "";
    const other = { id: fakeId("z"), segments: [{ on: "pv0", from: after + 1, extents: 1 }] };
    const merging = { ...group, volumes: { ...group.volumes, snapshot0: { ...snapshot0, lines }, other } } as FakeGroup;
    const { end, journal } = boot([disk("vda", merging), { name: "vdb", image: rootImage("SPARE") }], {
      cmdline: "root=LABEL=SPARE resume=LABEL=SWAP",
      modules: { dm_mod: CRYPT_MODULES.dm_mod, dm_snapshot },
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal.join("\n")).toContain("map vg0-other ");
    expect(journal.join("\n")).not.toContain("map vg0-root");
  });

  test("nor if a parameter names it as an encrypted volume", () => {
    const { snapshot0 } = group.volumes;
    const lines = snapshot0?.lines?.replace("cow_store", "merging_store") ?? "";
    const merging = { ...group, volumes: { ...group.volumes, snapshot0: { ...snapshot0, lines } } } as FakeGroup;
    const { end, journal } = boot([disk("vda", merging), LATE_SWAP], {
      cmdline: `cryptdevice=/dev/vg0/root:secret root=/dev/mapper/secret resume=UUID=${SWAP}`,
      modules: { dm_mod: CRYPT_MODULES.dm_mod, dm_snapshot },
    });
    expect(end).toBe("resume");
    expect(journal.join("\n")).not.toContain("map vg0-root");
  });

  test("the snapshot may be the root, by its path", () => {
    const { end, journal } = start("root=/dev/vg0/old");
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/mapper/vg0-old at /sysroot (ro)");
    expect(journal.filter((line) => line.startsWith("unmap "))).toEqual([]);
  });
});

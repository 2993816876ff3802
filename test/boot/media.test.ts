import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage, stick } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

const layer = (name: string) => fakeImage("squashfs", {}, { "/etc/layer": name });
const base = () => fakeImage("squashfs", {}, ROOT_TREE);

/** A disk without a medium, and an ISO file on another, whose directory /live holds three images and `more`. */
function isoFile(more: FakeTree, cmdline: string): FakeBootOptions {
  const images = [base(), layer("desktop"), layer("work")];
  const [one, two, three] = images.map(({ bytes }) => bytes);
  const live = { "/live/1.squashfs": one, "/live/2.squashfs": two, "/live/3.squashfs": three } as FakeTree;
  const iso = fakeImage("squashfs", {}, { ...live, ...more });
  const disks = [
    { name: "vda", image: rootImage("OTHER") },
    { name: "vdb", image: fakeImage("ext4", { label: "ISOS" }, { "/d.iso": iso.bytes }) },
  ];
  return { cmdline, disks, images: [iso, ...images] };
}

/** The journal's lines that say where a file or a tree comes from. */
const stacking = (journal: readonly string[]) =>
  journal.filter((line) =>
    /^(?:loop|mount overlay|unmount|detach|mount \S+ \S+ at \/run\/levain\/(?:medium|iso|outer))/.test(line),
  );

describe("images of a live medium", () => {
  test("are layers in the order of their names, the last on top; the search writes nothing and unmounts", () => {
    const { journal, end, mounts } = fakeBoot(isoFile({}, "boot=live findiso=/d.iso"));
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/vda at /run/levain/search (ro,nosuid,nodev,noexec)");
    expect(stacking(journal)).toMatchInlineSnapshot(`
      [
        "unmount /run/levain/search",
        "unmount /run/levain/search",
        "mount ext4 /dev/vdb at /run/levain/medium (ro)",
        "loop /run/levain/medium/d.iso (ro)",
        "mount squashfs /dev/loop0 at /run/levain/iso (ro)",
        "loop /run/levain/iso/live/1.squashfs (ro)",
        "loop /run/levain/iso/live/2.squashfs (ro)",
        "loop /run/levain/iso/live/3.squashfs (ro)",
        "mount overlay overlay at /sysroot (lowerdir=/run/levain/lower/2:/run/levain/lower/1:/run/levain/lower/0,upperdir=/run/levain/overlay/upper,workdir=/run/levain/overlay/work)",
      ]
    `);
    expect(mounts.join("\n")).not.toContain("search");
  });

  test("follow the list, in its order", () => {
    const list = "1.squashfs\n3.squashfs  gone.squashfs\t../../etc/passwd 2.squashfs\n";
    const { journal, console } = fakeBoot(isoFile({ "/live/filesystem.module": list }, "boot=live findiso=/d.iso"));
    const loops = journal.filter((line) => line.startsWith("loop"));
    expect(loops.map((line) => /(\d)\.squashfs/.exec(line)?.[1] ?? "iso")).toEqual(["iso", "1", "3", "2"]);
    expect(console).toContain("filesystem.module names gone.squashfs, which is not beside it, ignoring");
    expect(console).toContain("filesystem.module names ../../etc/passwd, which is not beside it, ignoring");
  });

  test("may be directories, which stay on the medium and are read-only like it", () => {
    const more = { "/live/2-tree.dir/etc/layer": "tree", "/live/file.dir": "no directory" };
    const { end, console, mounts, journal } = fakeBoot(isoFile(more, "boot=live findiso=/d.iso toram"));
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain("/live/2-tree.dir is a directory and is not copied to RAM");
    expect(console.replace(/\s+/g, " ")).toContain(
      "+ /live/2-tree.dir (directory) + /live/2.squashfs (squashfs, in RAM)",
    );
    expect(journal).not.toContain("unmount /run/levain/medium");
    expect(mounts.join("\n")).toContain("/run/levain/lower/1");
    const list = { ...more, "/live/filesystem.module": "1.squashfs 2-tree.dir file.dir" };
    expect(fakeBoot(isoFile(list, "boot=live findiso=/d.iso")).console).toContain(
      "filesystem.module names file.dir, which is not beside it, ignoring",
    );
  });

  test("may be nothing but a directory", () => {
    const medium = fakeImage(
      "ext4",
      {},
      Object.fromEntries(Object.entries(ROOT_TREE).map(([path, node]) => [`/live/filesystem.dir${path}`, node])),
    );
    const { end, console } = fakeBoot({ cmdline: "boot=live", disks: [{ name: "vda", image: medium }] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain("/live/filesystem.dir (directory) + tmpfs at /sysroot");
  });

  test("can have a list of another name", () => {
    const lists = { "/live/filesystem.module": "3.squashfs", "/live/mine.module": "1.squashfs" };
    const { journal } = fakeBoot(isoFile(lists, "boot=live module=mine findiso=/d.iso"));
    expect(journal.filter((line) => line.startsWith("loop"))).toEqual([
      "loop /run/levain/medium/d.iso (ro)",
      "loop /run/levain/iso/live/1.squashfs (ro)",
    ]);
  });

  test("have a list that is too long: the boot says so", () => {
    const { console } = fakeBoot(
      isoFile({ "/live/filesystem.module": "x".repeat(65_537) }, "boot=live findiso=/d.iso"),
    );
    expect(console).toContain("filesystem.module is no list of images: it has 65537 bytes");
  });

  test("and the medium are linked from where its tools expect them, while they are mounted", () => {
    const linksOf = (options: FakeBootOptions) =>
      fakeBoot(options).journal.filter((line) => line.startsWith("link /run/") && !line.includes("/bin/"));
    const layers = ["1", "2", "3"].map(
      (name, index) => `link /run/live/rootfs/${name}.squashfs to /run/levain/lower/${index}`,
    );
    expect(linksOf(isoFile({}, "boot=live findiso=/d.iso"))).toEqual([
      "link /run/live/medium to /run/levain/iso",
      "link /run/live/findiso to /run/levain/medium",
      ...layers,
      "link /run/live/overlay to /run/levain/overlay",
    ]);
    expect(linksOf(isoFile({}, "boot=live findiso=/d.iso toram")).join()).not.toContain("/run/live/medium");
    expect(linksOf(isoFile({}, "root=LABEL=ISOS rd.image=/d.iso"))).toEqual([]);
  });

  test("let the ISO file and its disk be removed when all are in memory", () => {
    const { journal, console } = fakeBoot(isoFile({}, "boot=live findiso=/d.iso toram"));
    expect(stacking(journal).slice(-3)).toEqual([
      "unmount /run/levain/iso",
      "detach /dev/loop0",
      "unmount /run/levain/medium",
    ]);
    expect(console).toContain("/d.iso (squashfs): /live/1.squashfs (squashfs, in RAM) + /live/2.squashfs");
  });

  test.each([
    ["rd.live.squashimg=top.squashfs rd.live.dir=/", "root=live:LABEL=My\\x20Disk"],
    ["rd.live.squashimg=/top.squashfs rd.live.dir=.", "root=live:/dev/disk/by-label/My\\x20Disk"],
    ["live-media-path=/", "boot=live live-media=LABEL=My\\x20Disk"],
  ])("at the top of the medium are found with %s and %s", (place, medium) => {
    const image = fakeImage("squashfs", {}, ROOT_TREE);
    const { end, console } = fakeBoot({
      cmdline: `${medium} ${place}`,
      disks: [{ name: "sda", image: fakeImage("vfat", { label: "My Disk" }, { "/top.squashfs": image.bytes }) }],
      images: [image],
    });
    expect(console).toContain("/top.squashfs (squashfs)");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("that are missing are reported with what the medium has", () => {
    const { console, shells } = fakeBoot({
      cmdline: "root=live:LABEL=LIVE rd.live.dir=os",
      disks: [{ name: "sda", image: fakeImage("vfat", { label: "LIVE" }, { "/README": "" }) }],
    });
    expect(shells).toBe(1);
    expect(console).toContain("the medium has no image /os/squashfs.img or /os/rootfs.img or /os/ext3fs.img");
    expect(console).toContain("seen: README");
  });
});

describe("an image on a medium, or inside another image, boots", () => {
  const root = rootImage("INNER");
  const plain = base();
  const outer = fakeImage("squashfs", {}, { "/LiveOS/rootfs.img": root.bytes });
  test.each<[string, string, FakeTree, readonly string[]]>([
    [
      "Fedora's with a rootfs.img inside",
      "root=live:CDLABEL=MEDIUM rd.live.image quiet rhgb",
      { "/LiveOS/squashfs.img": outer.bytes },
      ["move /run/levain/lower to /run/levain/outer", "mount ext4 /dev/loop1 at /run/levain/lower (ro)"],
    ],
    [
      "Fedora's without compression",
      "root=live:LABEL=MEDIUM rd.live.image",
      { "/LiveOS/rootfs.img": root.bytes },
      ["mount ext4 /dev/loop0 at /run/levain/lower (ro)"],
    ],
    [
      "Arch's, by its label",
      "archisobasedir=arch archisolabel=MEDIUM cow_spacesize=64M",
      { "/arch/x86_64/airootfs.sfs": plain.bytes },
      [
        "mount squashfs /dev/loop0 at /run/levain/lower (ro)",
        "mount tmpfs tmpfs at /run/levain/overlay (mode=0755,size=64M)",
      ],
    ],
    [
      "an image that is named without a slash",
      "root=LABEL=MEDIUM rd.image=boot/root.sfs",
      { "/boot/root.sfs": plain.bytes },
      ["mount squashfs /dev/loop0 at /run/levain/lower (ro)", "mount tmpfs tmpfs at /run/levain/overlay (mode=0755)"],
    ],
  ])("%s", (_, cmdline, files, mounts) => {
    const medium = fakeImage("vfat", { label: "MEDIUM" }, files);
    const images = [outer, root, plain];
    const { end, journal } = fakeBoot({ cmdline, disks: [{ name: "vda", image: medium }], images });
    expect(journal).toContain("mount vfat /dev/vda at /run/levain/medium (ro)");
    for (const mount of mounts) expect(journal).toContain(mount);
    expect(journal.join("\n")).toContain("mount overlay overlay at /sysroot");
    expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
  });
});

test("rd.overlay=0 makes the image itself the root", () => {
  const { disk, squashfs } = stick();
  const cmdline = "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=0";
  const { end, journal } = fakeBoot({ cmdline, disks: [{ name: "sda", image: disk }], images: [squashfs] });
  expect(journal).toContain("mount squashfs /dev/loop0 at /sysroot (ro)");
  expect(journal.join("\n")).not.toMatch(/overlay/);
  expect(end).toMatchObject({ mode: "switch_root" });
});

test("without a medium, the report says what was searched for", () => {
  const { console, shells } = fakeBoot({
    cmdline: "boot=live live-media-timeout=2",
    disks: [
      {
        name: "vda",
        partitions: [
          { image: fakeImage("vfat", { label: "EFI" }) },
          { image: fakeImage("ext4", { label: "OTHER" }, { "/live/README": "" }) },
        ],
      },
    ],
  });
  expect(shells).toBe(1);
  expect(console).toContain("could not find the root device");
  expect(console).toMatch(/no device with \/live\/\*\.squashfs or [^:]* appeared\s+within 2 s/);
  expect(console).toContain('seen: /dev/vda1 vfat "EFI" · /dev/vda2 ext4 "OTHER"');
});

test("a layer that does not appear is named, and used as soon as it is there", () => {
  const { disk, squashfs } = stick();
  const top = fakeImage("ext4", { label: "TOP" }, { "/etc/layer": "top" });
  // Then `exit`.
  const plugIn = (machine: FakeMachine) => machine.plugIn({ name: "vdb", image: top });
  const { console, mounts, end } = fakeBoot({
    cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.layer=LABEL=TOP rd.timeout=2",
    disks: [{ name: "vda", image: disk }],
    images: [squashfs],
    person: [plugIn],
  });
  expect(console).toContain("could not find the layer LABEL=TOP");
  expect(console).toContain('no device with label "TOP" appeared within 2 s');
  expect(mounts.join("\n")).toContain("/dev/vdb");
  expect(end).toMatchObject({ mode: "switch_root" });
});

test("a search whose unmount is refused finds the same device after the shell", () => {
  const options = isoFile({}, "boot=live findiso=/d.iso");
  const { end, console, shells } = fakeBoot({
    ...options,
    disks: (options.disks ?? []).slice(1),
    before(machine) {
      machine.refuse("unmount", "unmount /run/levain/search", "EBUSY", { times: 1 });
      machine.refuse("mount", "mount ext4 /dev/vdb at /run/levain/medium", "EIO", { times: 1 });
    },
    person: [() => undefined],
  });
  expect(console).toContain("could not mount /dev/vdb");
  expect(shells).toBe(1);
  expect(end).toMatchObject({ mode: "switch_root" });
});

describe("the root on the boot loader's disk", () => {
  test("is not searched for without EFI", () => {
    expect(fakeBoot({ files: { "/sbin/init": { data: "#!/bin/busybox\n", mode: 0o755 } } }).end).toMatchObject({
      mode: "stay",
    });
  });

  test("is requested, but the boot loader set no variable: the report says so", () => {
    const { console } = fakeBoot({
      cmdline: "root=gpt-auto rd.timeout=1",
      disks: [{ name: "vda", image: rootImage() }],
    });
    expect(console).toMatch(/the boot loader does not say which disk it is on: no\s+LoaderDevicePartUUID\)/);
  });
});

import { describe, expect, test } from "bun:test";
import { ELF, type FakeBoot, type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

// Whole boots with changes that are kept on a disk.

const MIB = 2 ** 20;
const OVERLAY_DONE = { mode: "switch_root" };

/** An ext4 for changes, labelled DATA, with space. */
const data = (tree: FakeTree = {}, more: { readonly isUnclean?: boolean; readonly sizeBytes?: number } = {}) =>
  fakeImage("ext4", { label: "DATA", sizeBytes: 4 * MIB, ...more }, tree);

/** Boots the root on vda with `disk` as vdb. */
function boot(cmdline: string, disk: FakeImage, more: FakeBootOptions = {}): FakeBoot {
  const disks = [
    { name: "vda", image: rootImage() },
    { name: "vdb", image: disk },
  ];
  return fakeBoot({ cmdline: `root=LABEL=ROOT ${cmdline}`, disks, ...more });
}

/** The overlay's mount, without the lowers. */
const overlayOf = ({ journal }: FakeBoot) =>
  journal.flatMap((line) => /^mount overlay .*?,?((?:upper|lower)dir=[^)]*)\)/.exec(line)?.[1] ?? []);

const pathsIn = (image: FakeImage, directory: readonly string[] = []): readonly string[] => {
  let at = image.root;
  for (const name of directory) {
    const next = at.entries.get(name);
    if (next?.kind !== "directory") return [];
    at = next;
  }
  return [...at.entries.keys()].sort();
};

describe("changes on a disk", () => {
  test("go to directories at the top of its filesystem, which say on which lowers they were made", () => {
    const disk = data();
    const done = boot("rd.overlay=LABEL=DATA", disk);
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(overlayOf(done)).toEqual([
      "lowerdir=/run/levain/lower,upperdir=/run/levain/store/upper,workdir=/run/levain/store/work",
    ]);
    expect(done.console).toContain("changes on /dev/vdb ext4");
    expect(pathsIn(disk)).toEqual(["levain.json", "upper", "work"]);
    const again = boot("rd.overlay=LABEL=DATA", disk);
    expect(again.end).toMatchObject(OVERLAY_DONE);
    expect(again.journal.join()).not.toContain("levain.json");
  });

  test("go to a directory, which is created, and no symbolic link leads out of the filesystem", () => {
    const disk = data({ "/link": { link: "/etc" }, "/etc": { directory: true } });
    const done = boot("rd.overlay=LABEL=DATA:/link/a/b", disk, { files: { "/etc/keep": "" } });
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(done.journal).toContain("mkdir /run/levain/store-disk/etc/a/b");
    expect(pathsIn(disk, ["etc", "a", "b"])).toEqual(["levain.json", "upper", "work"]);
    expect(done.mounts.join()).toContain("/run/levain/store ext4 /dev/vdb");
    const dangling = boot("rd.overlay=LABEL=DATA:/link/a", data({ "/link": { link: "/etc" } }), {
      files: { "/etc/keep": "" },
    });
    expect(dangling.console).toContain("/link/a on /dev/vdb cannot keep changes");
    expect(dangling.journal.join()).not.toMatch(/mkdir \/run\/levain\/store-disk\/|mkdir \/etc/);
  });

  test("go to an image file on a FAT", () => {
    const inner = fakeImage("ext4", { sizeBytes: 4 * MIB });
    const disk = fakeImage("vfat", { label: "DATA" }, { "/changes.img": inner.bytes });
    const done = boot("rd.overlay=LABEL=DATA:/changes.img", disk, { images: [inner] });
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(done.journal).toContain("loop /run/levain/store-disk/changes.img");
    expect(pathsIn(inner)).toEqual(["levain.json", "upper", "work"]);
  });

  test("go to the medium itself, whose own mount stays read-only", () => {
    const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
    const disk = fakeImage("ext4", { label: "LIVE", sizeBytes: 4 * MIB }, { "/LiveOS/squashfs.img": squashfs.bytes });
    const done = fakeBoot({
      cmdline: "root=live:LABEL=LIVE rd.live.overlay=LABEL=LIVE:/changes",
      disks: [{ name: "sda", image: disk }],
      images: [squashfs],
    });
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(done.journal).toContain("mount /dev/sda at /run/levain/store-disk (remount)");
    expect(pathsIn(disk, ["changes"])).toEqual(["levain.json", "upper", "work"]);
  });

  test("that are read-only are shown below a tmpfs, and nothing is written", () => {
    const disk = data({ "/upper/etc/mine": "", "/work": { directory: true } });
    const done = boot("rd.overlay=LABEL=DATA rd.overlay.readonly", disk);
    expect(overlayOf(done)).toEqual([
      "lowerdir=/run/levain/store/upper:/run/levain/lower,upperdir=/run/levain/overlay/upper,workdir=/run/levain/overlay/work",
    ]);
    expect(done.journal.filter((line) => line.includes(" at /run/levain/store "))).toEqual([
      "mount ext4 /dev/vdb at /run/levain/store (ro)",
    ]);
    expect(pathsIn(disk)).toEqual(["upper", "work"]);
  });

  test("that are only shown may belong to another system: that is a warning", () => {
    const lowers = Array.from({ length: 50 }, (_, index) => ({ name: `${index}\u001b[2J${"x".repeat(999)}`, id: "x" }));
    const disk = data({ "/upper": { directory: true }, "/levain.json": JSON.stringify({ lowers }) });
    const done = boot("rd.overlay=LABEL=DATA rd.overlay.readonly", disk);
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(done.console).toContain("the changes on LABEL=DATA were made on 0\\x1b[2Jxxx");
    expect(done.console.length).toBeLessThan(4000);
  });
});

test("a union that cannot use the medium leaves it writable for the changes of the root", () => {
  const squashfs = fakeImage("squashfs", {}, { ...ROOT_TREE, "/var/lib/state": "" });
  const tree = { "/LiveOS/squashfs.img": squashfs.bytes, "/v/upper": "a file" };
  const disk = fakeImage("ext4", { label: "LIVE", sizeBytes: 4 * MIB }, tree);
  const stores = "rd.overlay=LABEL=LIVE:/changes rd.union=/var:LABEL=LIVE:/v";
  const done = fakeBoot({
    cmdline: `root=live:LABEL=LIVE ${stores} rd.overlay.policy=fallback`,
    disks: [{ name: "sda", image: disk }],
    images: [squashfs],
  });
  expect(done.end).toMatchObject(OVERLAY_DONE);
  expect(done.console.replace(/\s+/g, " ")).toContain("booting without what was kept of /var");
  expect(done.journal.filter((line) => line.includes("(remount"))).toEqual([
    "mount /dev/sda at /run/levain/store-disk (remount)",
  ]);
});

describe("what other tools made is used as they do", () => {
  test.each([
    ["rd.overlay=LABEL=DATA:/arch", { "/arch/upperdir/a": "", "/arch/workdir/work/b": "" }, "upperdir", "workdir"],
    ["rd.overlay=LABEL=DATA", { "/overlayfs/a": "", "/ovlwork/work/b": "" }, "overlayfs", "ovlwork"],
    [
      "rd.live.overlay=LABEL=DATA:/LiveOS/mine",
      { "/LiveOS/mine/a": "", "/LiveOS/ovlwork/work/b": "" },
      "mine",
      "ovlwork",
    ],
    [
      "overlayroot=device:dev=LABEL=DATA",
      { "/overlay/a": "", "/overlay-workdir/_/work/b": "" },
      "overlay",
      "overlay-workdir/_",
    ],
    [
      "rd.live.overlay=LABEL=DATA:auto rd.live.dir=os",
      { "/os/overlay-ROOT-0a1b2c3d-0000-4000-8000-00000000abcd/a": "", "/os/ovlwork/work/b": "" },
      "overlay-ROOT-0a1b2c3d-0000-4000-8000-00000000abcd",
      "ovlwork",
    ],
    [
      "rd.live.overlay=LABEL=DATA",
      { "/LiveOS/overlay-ROOT-0a1b2c3d-0000-4000-8000-00000000abcd/a": "", "/LiveOS/ovlwork/work/b": "" },
      "overlay-ROOT-0a1b2c3d-0000-4000-8000-00000000abcd",
      "ovlwork",
    ],
  ])("%s", (cmdline, tree, upper, work) => {
    const [options] = overlayOf(boot(cmdline, data(tree)));
    expect(options).toBe(
      `lowerdir=/run/levain/lower,upperdir=/run/levain/store/${upper},workdir=/run/levain/store/${work}`,
    );
  });

  test("dracut's image file on the FAT of the medium, named by the medium", () => {
    const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
    const inner = data({ "/overlayfs/a": "", "/ovlwork/work": { directory: true } });
    const files = { "/LiveOS/squashfs.img": squashfs.bytes, "/LiveOS/overlay-LIVE-F1A5-4000": inner.bytes };
    const done = fakeBoot({
      cmdline: "root=live:LABEL=LIVE rd.live.overlay=LABEL=LIVE",
      disks: [{ name: "sda", image: fakeImage("vfat", { label: "LIVE", uuid: "F1A5-4000" }, files) }],
      images: [squashfs, inner],
    });
    expect(overlayOf(done)[0]).toContain("upperdir=/run/levain/store/overlayfs,workdir=/run/levain/store/ovlwork");
  });

  test("but not through a symbolic link", () => {
    const tree = { "/overlay/a": "", "/overlay-workdir": { link: "/etc" }, "/etc/_": { directory: true } } as const;
    const done = boot("overlayroot=device:dev=LABEL=DATA", data(tree), { files: { "/etc/_/b": "" } });
    expect(overlayOf(done)[0]).toContain("upperdir=/run/levain/store/upper,workdir=/run/levain/store/work");
  });

  // docs/README.bootparams of mkinitcpio-archiso.
  test.each([
    ["cow_label=DATA", "persistent_ARCH/x86_64", ""],
    ["cow_device=/dev/sdb", "persistent_ARCH/x86_64", ""],
    ["cow_device=/dev/disk/by-label/DATA cow_directory=mine/here", "mine/here", ""],
    ["cow_label=DATA cow_directory=/mine cow_flags=noatime", "mine", " (noatime)"],
  ])("%s keeps archiso's changes in its directory", (words, directory, flags) => {
    const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
    const medium = fakeImage("vfat", { label: "ARCH" }, { "/arch/x86_64/airootfs.sfs": squashfs.bytes });
    const disk = data();
    const disks = [
      { name: "sda", image: medium },
      { name: "sdb", image: disk },
    ];
    const done = fakeBoot({
      cmdline: `archisobasedir=arch archisolabel=ARCH ${words}`,
      disks,
      images: [squashfs],
    });
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(pathsIn(disk, directory.split("/"))).toEqual(["levain.json", "upper", "work"]);
    expect(done.journal).toContain(`mount ext4 /dev/sdb at /run/levain/store-disk${flags}`);
  });

  // overlayroot.conf(5) of cloud-initramfs-tools.
  test.each([
    ["device:dev=/dev/vdb", "overlay"],
    ["device:dev=vdb,dir=/mine,timeout=20", "mine"],
  ])("overlayroot=%s keeps the changes in its directory", (value, directory) => {
    const disk = data();
    const done = boot(`overlayroot=${value}`, disk);
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(pathsIn(disk, [directory])).toEqual(["levain.json", "upper", "work"]);
  });
});

describe("a disk that was not unmounted", () => {
  const checked = (status: number): FakeBootOptions => ({
    files: { "/sbin/fsck.ext4": { data: ELF, mode: 0o755 } },
    programs: { "/sbin/fsck.ext4": () => ({ status, output: "said fsck\n" }) },
  });

  test("is checked and repaired first, if the image has the program", () => {
    const done = boot("rd.overlay=LABEL=DATA", data({}, { isUnclean: true }), checked(1));
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(done.console).toContain("fsck repaired /dev/vdb: said fsck");
    const run = done.journal.indexOf("run /sbin/fsck.ext4 -a /dev/vdb");
    expect(run).toBeGreaterThan(0);
    expect(run).toBeLessThan(done.journal.findIndex((line) => line.startsWith("mount ext4 /dev/vdb")));
  });

  test("is not used if errors are left", () => {
    const done = boot("rd.overlay=LABEL=DATA", data(), checked(4));
    expect(done.console).toContain("the filesystem on /dev/vdb has errors");
    expect(done.journal.join()).not.toContain("mount ext4 /dev/vdb");
  });

  test("is mounted with a warning if nothing checks it", () => {
    const image = fakeImage("vfat", { label: "DATA" }, { "/a.img": data().bytes });
    image.bytes[0x25] = 1;
    expect(boot("rd.overlay=LABEL=DATA:/a.img", image).console.replace(/\s+/g, " ")).toContain(
      "/dev/vdb asks for a check, which was not made: add fsck.vfat to programs in levain.toml",
    );
  });
});

describe("a kernel that refuses", () => {
  test.each([
    ["ESTALE", "the changes were made on other layers", "remove all changes: rd.overlay.reset"],
    ["EBUSY", "one of its directories is part of another overlay", "boot without the changes once: rd.overlay=tmpfs"],
    ["EINVAL", "could not mount the overlay at /sysroot with LABEL=DATA", "correct rd.overlay="],
  ])("the overlay with %s: the report says why, and the store is unmounted", (code, reason, hint) => {
    const done = boot("rd.overlay=LABEL=DATA", data(), {
      before: (machine) => machine.refuse("mount", "mount overlay", code),
    });
    const said = done.console.replace(/\s+/g, " ");
    expect(said).toContain(reason);
    expect(said).toContain(hint);
    expect(done.journal).toContain("unmount /run/levain/store");
  });

  test("to write to the device: the changes do not go there", () => {
    const done = boot("rd.overlay=LABEL=DATA", data(), {
      before: (machine) => machine.refuse("mount", /^mount ext4 \/dev\/vdb at \S+$/, "EROFS"),
    });
    expect(done.console).toContain("changes cannot be written to LABEL=DATA (/dev/vdb)");
    expect(done.console).toContain("the device is write-protected");
  });

  test("to make the medium writable", () => {
    const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
    const disk = fakeImage("vfat", { label: "LIVE" }, { "/LiveOS/squashfs.img": squashfs.bytes, "/a": data().bytes });
    const done = fakeBoot({
      cmdline: "root=live:LABEL=LIVE rd.overlay=LABEL=LIVE:/a",
      disks: [{ name: "sda", image: disk }],
      images: [squashfs],
      before: (machine) => machine.refuse("mount", "(remount)", "EROFS"),
    });
    expect(done.console).toContain("changes cannot be written to LABEL=LIVE:/a (/dev/sda)");
    expect(done.journal.findLast((line) => line.includes("store-disk"))).toBe("unmount /run/levain/store-disk");
  });
});

test("no directory is created on a filesystem that cannot keep changes", () => {
  const disk = fakeImage("vfat", { label: "DATA" });
  expect(boot("rd.overlay=LABEL=DATA:/changes", disk).console).toContain("LABEL=DATA:/changes cannot keep changes");
  expect(pathsIn(disk)).toEqual([]);
});

test("an overlay that the kernel refuses with the changes is mounted without them, if the policy allows that", () => {
  const done = boot("rd.overlay=LABEL=DATA rd.overlay.policy=fallback", data(), {
    before: (machine) => machine.refuse("mount", "mount overlay", "ESTALE", { times: 1 }),
  });
  expect(done.end).toMatchObject(OVERLAY_DONE);
  expect(overlayOf(done).at(-1)).toContain("upperdir=/run/levain/overlay/upper");
  expect(done.mounts.join()).not.toContain("/run/levain/store");
  expect(done.console.replace(/\s+/g, " ")).toContain("the changes were made on other layers");
});

test("the medium's own changes are shown without writing to it", () => {
  const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
  const tree = { "/LiveOS/squashfs.img": squashfs.bytes, "/changes/upper/etc/mine": "" };
  const disk = fakeImage("ext4", { label: "LIVE", sizeBytes: 4 * MIB }, tree);
  const done = fakeBoot({
    cmdline: "root=live:LABEL=LIVE rd.overlay=LABEL=LIVE:/changes rd.overlay.readonly",
    disks: [{ name: "sda", image: disk }],
    images: [squashfs],
  });
  expect(done.end).toMatchObject(OVERLAY_DONE);
  expect(done.journal.join()).not.toContain("remount");
  expect(done.machine.disk("sda")?.readOnly).toBe(false); // the real system decides
});

test("a new place that is only to be shown: the report says how it is made", () => {
  const { console } = boot("rd.overlay=LABEL=DATA rd.overlay.readonly", data());
  expect(console.replace(/\s+/g, " ")).toContain("for a new place, boot once without rd.overlay.readonly");
});

test("of two devices with its name, none is written to", () => {
  const done = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.overlay=LABEL=DATA",
    disks: [
      { name: "vda", image: rootImage() },
      { name: "vdb", image: data() },
      { name: "sda", image: data(), isRemovable: true },
    ],
  });
  expect(done.shells).toBe(1);
  expect(done.console).toMatch(/2 devices match LABEL=DATA: \/dev\/\w+ and \/dev\/\w+/);
  expect(done.journal.join()).not.toContain("/run/levain/store");
});

test("the root's own filesystem cannot keep the changes over it", () => {
  const done = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.overlay=LABEL=ROOT:/changes",
    disks: [{ name: "vda", image: fakeImage("ext4", { label: "ROOT", sizeBytes: 4 * MIB }, ROOT_TREE) }],
  });
  expect(done.console.replace(/\s+/g, " ")).toContain("it is a part of the root");
});

test("a medium that is copied to memory and keeps the changes stays mounted for them", () => {
  const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
  const disk = fakeImage("ext4", { label: "LIVE", sizeBytes: 4 * MIB }, { "/LiveOS/squashfs.img": squashfs.bytes });
  const done = fakeBoot({
    cmdline: "root=live:LABEL=LIVE rd.live.ram rd.live.overlay=LABEL=LIVE:/changes",
    disks: [{ name: "sda", image: disk }],
    images: [squashfs],
  });
  expect(done.end).toMatchObject(OVERLAY_DONE);
  expect(done.mounts.join()).toContain("/run/levain/store ext4 /dev/sda");
});

describe("a disk that cannot keep changes", () => {
  const refusals: readonly [string, () => FakeImage, string, string][] = [
    [
      "is missing",
      () => rootImage("OTHER"),
      "rd.overlay=LABEL=DATA rd.timeout=1",
      "could not find the device for the changes",
    ],
    [
      "is a FAT",
      () => fakeImage("vfat", { label: "DATA" }),
      "rd.overlay=LABEL=DATA",
      "vfat has no extended attributes",
    ],
    [
      "is full",
      () => data({}, { sizeBytes: MIB / 2 }),
      "rd.overlay=LABEL=DATA",
      "no space for changes is left on LABEL=DATA",
    ],
    ["has a file as upper", () => data({ "/upper": "" }), "rd.overlay=LABEL=DATA", "it is a file, not a directory"],
    [
      "has a link as upper",
      () => data({ "/upper": { link: "/etc" } }),
      "rd.overlay=LABEL=DATA",
      "it is a symlink, not a directory",
    ],
    ["has no such image", () => data(), "rd.overlay=LABEL=DATA:/a rd.overlay.readonly", "it does not exist"],
    ["is new", () => data(), "rd.overlay=LABEL=DATA rd.overlay.readonly", "nothing was ever changed"],
    [
      "has an empty image",
      () => data({ "/a": new Uint8Array(MIB) }),
      "rd.overlay=LABEL=DATA:/a",
      "a snapshot of device mapper is not supported yet",
    ],
    [
      "was used with other lowers",
      () =>
        data({ "/upper": { directory: true }, "/levain.json": '{"lowers":[{"name":"old.sfs","id":"squashfs x"}]}' }),
      "rd.overlay=LABEL=DATA",
      "they were made on old.sfs",
    ],
  ];

  test.each(refusals)("%s: the boot fails, says so, and leaves nothing mounted", (_, image, cmdline, text) => {
    const done = boot(cmdline, image());
    expect(done.shells).toBe(1);
    expect(done.console.replace(/\s+/g, " ")).toContain(text);
    const last = done.journal.findLast((line) => line.includes("/run/levain/store")) ?? "none";
    expect(last).toMatch(/^(?:unmount|none)/);
    expect(done.journal.join("\n")).not.toContain("mount overlay");
  });

  test.each(refusals)("%s: rd.overlay.policy=fallback boots with a tmpfs and warns", (_, image, cmdline, text) => {
    const done = boot(`${cmdline} rd.overlay.policy=fallback`, image());
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(done.console.replace(/\s+/g, " ")).toContain(text);
    expect(done.console.replace(/\s+/g, " ")).toContain("changes go to memory and are lost at shutdown");
    expect(done.mounts.join()).not.toContain("/run/levain/store");
  });
});

/** The power fails at the call number `at` that concerns the store. */
function cutPower(
  machine: FakeMachine,
  call: "rename" | "removeTree" | "makeDirectory" | "writeFile",
  at: number,
): void {
  let calls = 0;
  const real = machine[call] as (...given: unknown[]) => unknown;
  const cut = (path: string) => {
    // A tree is not removed in one step.
    const [part] = call === "removeTree" ? machine.listDirectory(path) : [];
    if (part !== undefined) real(`${path}/${part}`);
    machine.power("poweroff");
  };
  Object.assign(machine, {
    [call](...given: unknown[]) {
      const path = String(given[0]);
      if (path.startsWith("/run/levain/store/") && calls++ === at) cut(path);
      return real(...given);
    },
  });
}

describe("rd.overlay.reset", () => {
  test("removes the changes, the work directory and the record, and nothing else", () => {
    const disk = data({
      "/upper/etc/mine": "",
      "/work/work": { directory: true },
      "/levain.json": "{}",
      "/photos/a": "",
    });
    const done = boot("rd.overlay=LABEL=DATA rd.overlay.reset", disk);
    expect(done.end).toMatchObject(OVERLAY_DONE);
    expect(pathsIn(disk)).toEqual(["levain.json", "photos", "upper", "work"]);
    expect(pathsIn(disk, ["upper"])).toEqual([]);
    expect(done.console).toContain("removing all changes on LABEL=DATA");
  });

  test("makes space on a disk that is full", () => {
    const disk = data({ "/upper/big": new Uint8Array(3.5 * MIB), "/work/work": { directory: true } });
    expect(boot("rd.overlay=LABEL=DATA", disk).console).toContain("no space for changes is left");
    expect(boot("rd.overlay=LABEL=DATA rd.overlay.reset", disk).end).toMatchObject(OVERLAY_DONE);
  });

  test("refuses what nothing marks as an overlay", () => {
    const disk = data({ "/upper/etc/mine": "" });
    const done = boot("rd.overlay=LABEL=DATA rd.overlay.reset", disk);
    expect(done.console).toContain("rd.overlay.reset removes nothing on LABEL=DATA");
    expect(pathsIn(disk, ["upper", "etc"])).toEqual(["mine"]);
  });

  test.each(["rename", "removeTree", "makeDirectory", "writeFile"] as const)(
    "that a power cut stops at any %s leaves the old changes or none, and the next boot goes on",
    (call) => {
      for (let at = 0; at < 4; at++) {
        const disk = data({ "/upper/etc/mine": "", "/upper/usr/mine": "", "/work/work": { directory: true } });
        const cut = boot("rd.overlay=LABEL=DATA rd.overlay.reset", disk, {
          before: (machine) => cutPower(machine, call, at),
        });
        const kept = pathsIn(disk, ["upper"]);
        expect([[], ["etc", "usr"]]).toContainEqual([...kept]);
        const next = boot("rd.overlay=LABEL=DATA", disk);
        expect(next.end).toMatchObject(OVERLAY_DONE);
        expect(pathsIn(disk, ["upper"])).toEqual(kept);
        expect(pathsIn(disk)).toEqual(["levain.json", "upper", "work"]);
        if (cut.end !== "poweroff") break;
      }
    },
  );
});

describe("rd.overlay.policy=ask", () => {
  const ask = (text: string) =>
    boot("rd.overlay=LABEL=DATA rd.timeout=1 rd.overlay.policy=ask", rootImage("OTHER"), {
      typing: [{ terminal: "/dev/ttyS0", text }],
    });

  test.each([
    ["y", true],
    ["perhaps \r Y", true],
    ["n", false],
    ["\u0003", false],
  ])("%j", (text, boots) => {
    const done = ask(text);
    expect(done.shells).toBe(boots ? 0 : 1);
    expect(done.machine.terminals.screen("/dev/ttyS0").replace(/\s+/g, " ")).toContain("lost at shutdown? (y/n)");
    expect(done.mounts.join().includes("/run/levain/overlay tmpfs")).toBe(boots);
  });
});

import { describe, expect, test } from "bun:test";
import { type FakeBoot, type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk } from "../support/luks/encrypted-disk.ts";

// Whole boots from filesystems that were not unmounted: their journals hold changes, and an inode is orphaned. A plain read-only
// mount writes both to the disk; what serves only for reading must be left as it is.

const unclean = (label: string, tree: FakeTree = ROOT_TREE) => fakeImage("ext4", { label, isUnclean: true }, tree);
const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
const iso = fakeImage("squashfs", { label: "LIVE" }, { "/live/filesystem.squashfs": squashfs.bytes });
const media = { "/newroot.sfs": squashfs.bytes, "/d.iso": iso.bytes };
const WARNING = "was not unmounted: levain does not replay its journal, so its newest changes may be missing";

const UUID = "6c657661-696e-4000-8000-0000000000a1";
const SCRIPT = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${UUID} ${CHEAP} $1 key`;

function bootFrom(cmdline: string, disks: Readonly<Record<string, FakeImage>>, more: FakeBootOptions = {}): FakeBoot {
  const named = Object.entries(disks).map(([name, image]) => ({ name, image }));
  return fakeBoot({ cmdline, disks: named, images: [squashfs, iso], ...more });
}

/** The names of the disks that are not as they were, byte for byte, or that stay read-only for the real system. */
function changed({ machine }: FakeBoot, disks: Readonly<Record<string, FakeImage>>): readonly string[] {
  return Object.entries(disks).flatMap(([name, { bytes }]) => {
    const now = machine.disk(name);
    return now !== undefined && Buffer.compare(now.content, bytes) === 0 && !now.readOnly ? [] : [name];
  });
}

const USERS: readonly [string, string, () => Readonly<Record<string, FakeImage>>][] = [
  ["a medium with an image", "root=LABEL=STICK rd.image=/newroot.sfs", () => ({ sda: unclean("STICK", media) })],
  [
    "a medium copied to RAM",
    "root=LABEL=STICK rd.image=/newroot.sfs rd.live.ram",
    () => ({ sda: unclean("STICK", media) }),
  ],
  [
    "a medium with an ISO file",
    "boot=live findiso=/d.iso",
    () => ({ sda: unclean("STICK", media), sdb: unclean("OTHER") }),
  ],
  [
    "a medium with an ISO file, copied to RAM",
    "boot=live findiso=/d.iso toram",
    () => ({ sda: unclean("STICK", media) }),
  ],
  ["the root below an overlay", "root=LABEL=ROOT rd.overlay", () => ({ sda: unclean("ROOT") })],
  [
    "the root below a layer",
    "root=LABEL=ROOT rd.layer=LABEL=TOP",
    () => ({ sda: unclean("ROOT"), sdb: unclean("TOP") }),
  ],
  [
    "the root below a layer, even with rw",
    "root=LABEL=ROOT rw rd.layer=LABEL=TOP rd.overlay=0",
    () => ({
      sda: unclean("ROOT"),
      sdb: unclean("TOP"),
    }),
  ],
];

describe("not a byte is written to", () => {
  test.each(USERS)("%s", (_, cmdline, make) => {
    const disks = make();
    const boot = bootFrom(cmdline, disks);
    expect(boot.end).toMatchObject({ mode: "switch_root" });
    expect(boot.console).toContain(`/dev/sda ${WARNING}`);
    expect(changed(boot, disks)).toEqual([]);
  });

  test("a device that is searched for a file and does not have it", () => {
    const disks = { sda: unclean("OTHER"), sdb: unclean("STICK", media) };
    const boot = bootFrom("boot=live findiso=/d.iso", disks);
    expect(changed(boot, disks)).toEqual([]);
    expect(boot.console).not.toContain("/dev/sda was not unmounted"); // it is only looked at
  });

  test.each([
    ["a key", "rd.luks.key=/key:LABEL=KEYS"],
    ["a header", "rd.luks.header=/header:LABEL=KEYS"],
  ])("the device of %s", async (what, words) => {
    const root = rootImage("ROOT");
    const vault = await luksDisk({ name: "untouched-vault", script: SCRIPT }, root);
    const keys = unclean("KEYS", { "/key": "pass", "/header": "no header" });
    const disks = [
      { name: "vda", image: vault },
      { name: "sdb", image: keys },
    ];
    const cmdline = `rd.luks.name=${UUID}=box ${words} root=/dev/mapper/box rd.timeout=2`;
    const boot = cryptBoot({ cmdline, disks, images: [root] });
    if (what === "a key") expect(boot.end).toMatchObject({ mode: "switch_root" });
    const look = "mount ext4 /dev/sdb at /run/levain/search (ro,nosuid,nodev,noexec,noload)";
    expect(boot.journal.filter((line) => / sdb|\/sdb/.test(line)).slice(0, 3)).toEqual([
      "protect /dev/sdb",
      look,
      "release /dev/sdb",
    ]);
    expect(changed(boot, { sdb: keys })).toEqual([]);
  });
});

test("a key file that an unreplayed journal may hold is reported so", async () => {
  const vault = await luksDisk({ name: "untouched-vault", script: SCRIPT }, rootImage("ROOT"));
  const disks = [
    { name: "vda", image: vault },
    { name: "sdb", image: unclean("KEYS", { "/other": "pass" }) },
  ];
  const cmdline = `rd.luks.name=${UUID}=box rd.luks.key=/key:LABEL=KEYS rd.luks.key.tout=1 root=/dev/mapper/box rd.timeout=2`;
  const { machine, console } = cryptBoot({ cmdline, disks, images: [] });
  expect(`${machine.terminals.screen("/dev/ttyS0")} ${console}`.replaceAll(/\s+/g, " ")).toContain(
    "there is no file /key on /dev/sdb, which was not unmounted: levain does not replay its journal",
  );
});

test("a device is write-protected from the mount to the handover", () => {
  const { journal } = bootFrom("root=LABEL=ROOT rd.overlay", { sda: unclean("ROOT") });
  const at = (line: string) => journal.indexOf(line);
  const mount = at("mount ext4 /dev/sda at /run/levain/lower (ro,noload)");
  expect(at("protect /dev/sda")).toBe(mount - 1);
  expect(at("release every device")).toBeGreaterThan(
    at(
      "mount overlay overlay at /sysroot (lowerdir=/run/levain/lower,upperdir=/run/levain/overlay/upper,workdir=/run/levain/overlay/work)",
    ),
  );
  expect(at("release every device")).toBeLessThan(at("move /dev to /sysroot/dev"));
});

test("a failed step gives the device back, after the unmount", () => {
  const disks = { sda: unclean("STICK", media) };
  const boot = bootFrom("root=LABEL=STICK rd.image=/none", disks, {
    person: [(machine) => machine.writeFile("/run/levain/retry.json", "[]")],
  });
  expect(boot.end).toBe("poweroff");
  expect(boot.console).toContain("the medium has no image /none");
  const retried = bootFrom("root=LABEL=STICK rd.layer=LABEL=NONE rd.timeout=1 rootfstype=vfat", disks);
  expect(retried.console).toContain("could not mount /dev/sda");
  expect(changed(retried, disks)).toEqual([]);
});

test("a write-protected medium with a journal boots, and stays write-protected", () => {
  const disks = [{ name: "sda", image: unclean("STICK", media), readOnly: true }];
  const boot = fakeBoot({ cmdline: "root=LABEL=STICK rd.image=/newroot.sfs", disks, images: [squashfs] });
  expect(boot.end).toMatchObject({ mode: "switch_root" });
  expect(boot.machine.disk("sda")?.readOnly).toBe(true);
});

test("an image in a file that was not unmounted is mounted, and named", () => {
  const inner = unclean("INNER");
  const stick = fakeImage("vfat", { label: "STICK" }, { "/root.ext4": inner.bytes });
  const boot = fakeBoot({
    cmdline: "root=LABEL=STICK rd.image=/root.ext4",
    disks: [{ name: "sda", image: stick }],
    images: [inner],
  });
  expect(boot.end).toMatchObject({ mode: "switch_root" });
  expect(boot.console).toContain(`/root.ext4 ${WARNING}`);
});

describe("a clean filesystem, which the real system may make writable, keeps its journal:", () => {
  const lowerMounts = (image: FakeImage, more: FakeBootOptions = {}) => {
    const { end, journal } = bootFrom("root=LABEL=ROOT rd.overlay", { sda: image }, more);
    expect(end).toMatchObject({ mode: "switch_root" });
    return journal.filter((line) => /^protect | at \/run\/levain\/lower /.test(line));
  };

  test.each(["ext4", "btrfs"] as const)("%s", (type) => {
    const image = fakeImage(type, { label: "ROOT" }, ROOT_TREE);
    const mount = `mount ${type} /dev/sda at /run/levain/lower (ro)`;
    expect(lowerMounts(image, { filesystems: ["ext4", "btrfs"] })).toEqual(["protect /dev/sda", mount]);
  });

  test.each(["EROFS", "EINVAL"])("but not if the driver refuses it with %s", (errno) => {
    const before = (machine: FakeMachine) => machine.refuse("mount", /\/lower \(ro\)$/, errno);
    expect(lowerMounts(rootImage(), { before }).at(-1)).toBe("mount ext4 /dev/sda at /run/levain/lower (ro,noload)");
  });

  test("but not if the device cannot be write-protected", () => {
    const before = (machine: FakeMachine) => machine.refuse("protectDevice", "/dev/sda", "EACCES");
    expect(lowerMounts(rootImage(), { before })).toEqual([
      "protect /dev/sda → EACCES",
      "mount ext4 /dev/sda at /run/levain/lower (ro,noload)",
    ]);
  });
});

test("a clean filesystem boots without a word about journals", () => {
  for (const cmdline of ["root=LABEL=ROOT rd.overlay", "root=LABEL=ROOT"]) {
    expect(bootFrom(cmdline, { sda: rootImage() }).console).not.toContain("journal");
  }
});

test("the journal of a root without an overlay is replayed: the real system makes it writable", () => {
  const root = unclean("ROOT");
  const boot = bootFrom("root=LABEL=ROOT", { sda: root });
  expect(boot.end).toMatchObject({ mode: "switch_root" });
  expect(changed(boot, { sda: root })).toEqual(["sda"]);
  expect(boot.journal).toContain("mount ext4 /dev/sda at /sysroot (ro)");
});

describe("a driver that does not know the option", () => {
  test("refuses one that was not unmounted, and levain says what to do", () => {
    const root = unclean("ROOT");
    const before = (machine: FakeMachine) => machine.refuse("mount", /\/dev\/sda .*noload/, "EINVAL");
    const result = bootFrom("root=LABEL=ROOT rd.overlay", { sda: root }, { before });
    expect(result.end).toBe("poweroff");
    expect(result.console.replaceAll(/\s+/g, " ")).toContain(
      "its journal has to be replayed, and levain writes nothing to it (EROFS)",
    );
    expect(result.console.replaceAll(/\s+/g, " ")).toContain(
      "hint: mount it writable on another machine and unmount it, then boot again",
    );
    expect(changed(result, { sda: root })).toEqual([]);
  });

  test("gets no second try if the device cannot be write-protected", () => {
    const root = unclean("ROOT");
    const result = bootFrom(
      "root=LABEL=ROOT rd.overlay",
      { sda: root },
      {
        before(machine) {
          machine.refuse("protectDevice", "/dev/sda", "EACCES");
          machine.refuse("mount", /\/dev\/sda .*noload/, "EINVAL");
        },
      },
    );
    expect(result.end).toBe("poweroff");
    expect(result.journal).not.toContain("mount ext4 /dev/sda at /run/levain/lower (ro)");
    expect(changed(result, { sda: root })).toEqual([]);
  });
});

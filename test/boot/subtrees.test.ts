import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { ELF, type FakeBootOptions, fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";

// Whole boots with filesystems below the root: /usr, lines of its fstab, unions, a root in memory.

const DIRECTORY = { directory: true } as const;
const INIT = { data: ELF, mode: 0o755 };
const MERGED: FakeTree = Object.fromEntries(
  ["bin", "lib", "sbin"].map((name) => [`/${name}`, { link: `usr/${name}` }] as const),
);
const API = Object.fromEntries(["/dev", "/proc", "/sys", "/run"].map((path) => [path, DIRECTORY]));
/** A root without what is in /usr. */
const SPLIT: FakeTree = { ...MERGED, ...API, "/usr": DIRECTORY, "/etc": DIRECTORY };
const USR: FakeTree = { "/sbin/init": INIT, "/lib/systemd/systemd-udevd": INIT };

const ext4 = (label: string, tree: FakeTree) => fakeImage("ext4", { label }, tree);
const usrDisk = { name: "vdb", image: ext4("USR", USR) };

function boot(fstab: string, more: FakeBootOptions & { readonly tree?: FakeTree; readonly words?: string } = {}) {
  const { tree = ROOT_TREE, words = "", disks = [], ...rest } = more;
  const image = ext4("ROOT", { ...tree, ...(fstab === "" ? {} : { "/etc/fstab": fstab }) });
  return fakeBoot({ cmdline: `root=LABEL=ROOT ${words}`, disks: [{ name: "vda", image }, ...disks], ...rest });
}

type Booted = ReturnType<typeof fakeBoot>;
const line = ({ record }: Booted) => record.steps.find(({ name }) => name === "subtrees")?.text;
const mountsOf = ({ mounts }: Booted) => mounts.filter((mount) => /^\/sysroot\/(?!dev|proc|sys|run )/.test(mount));

describe("/usr", () => {
  test.each([
    ["LABEL=USR /usr ext4 defaults 0 2", ""],
    ['# comment\n\nLABEL="USR"\t/usr\tauto\tnoatime,x-systemd.requires=x\t0\t0\r', ""],
    ["/dev/disk/by-label/USR //usr/. ext4", ""],
    ["", "mount.usr=LABEL=USR"],
    ["LABEL=OTHER /usr ext4", "mount.usr=LABEL=USR"],
    ["LABEL=USR /usr xfs", "mount.usrfstype=ext4"],
    ["/dev/none /usr ext4", "rd.fstab=no mount.usr=SIBLING=1:LABEL=USR mount.usrflags=noatime"],
  ])("is mounted before init is looked for: %p %p", (fstab, words) => {
    const disk = { name: "vdb", partitions: [{ image: usrDisk.image }] };
    const booted = boot(fstab, { tree: SPLIT, words, disks: [disk] });
    expect(booted.end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
    expect(mountsOf(booted)).toEqual(["/sysroot/usr ext4 /dev/vdb1"]);
    expect(line(booted)).toBe('/usr from /dev/vdb1 ext4 "USR"');
    expect(booted.console).toContain("subtrees  /usr from /dev/vdb1");
  });

  test("is read-only or writable as fstab or the root says", () => {
    const journal = (fstab: string, words: string) =>
      boot(fstab, { tree: SPLIT, words, disks: [usrDisk] }).journal.filter((one) => one.includes("/sysroot/usr"));
    expect(journal("LABEL=USR /usr ext4 ro,noatime", "rw")).toEqual([
      "mount ext4 /dev/vdb at /sysroot/usr (ro,noatime)",
    ]);
    expect(journal("LABEL=USR /usr ext4", "")).toEqual(["mount ext4 /dev/vdb at /sysroot/usr"]);
    expect(journal("", "mount.usr=LABEL=USR")).toEqual(["mount ext4 /dev/vdb at /sysroot/usr (ro)"]);
    expect(journal("", "mount.usr=LABEL=USR rw")).toEqual(["mount ext4 /dev/vdb at /sysroot/usr"]);
  });

  test("is left out with noauto, and with rd.fstab=no", () => {
    for (const [options, words] of [
      ["noauto", ""],
      ["defaults", "rd.fstab=no"],
    ] as const) {
      const { console, end } = boot(`LABEL=USR /usr ext4 ${options}`, { tree: SPLIT, words, disks: [usrDisk] });
      expect(end).toBe("poweroff");
      const text = console.replaceAll(/\n {2,}/g, " ");
      expect(text).toContain("/usr is empty, and LABEL=USR, from which /etc/fstab mounts it, was not mounted");
    }
  });

  test("is checked if fstab says so and the image can, by fsck.mode= and fsck.repair=", () => {
    const checks = (pass: string, words: string, status = 0) => {
      const programs = { "/sbin/fsck.ext4": () => ({ status, output: "said so\n" }) };
      const files = { "/sbin/fsck.ext4": INIT };
      const booted = boot(`LABEL=USR /usr ext4 defaults 0 ${pass}`, {
        tree: SPLIT,
        words,
        disks: [usrDisk],
        files,
        programs,
      });
      return { ...booted, runs: booted.journal.filter((one) => one.startsWith("run ") && one.includes("vdb")) };
    };
    expect(checks("2", "fsck.mode=force").runs).toEqual(["run /sbin/fsck.ext4 -a -f /dev/vdb"]);
    expect(checks("0", "").runs).toEqual([]);
    expect(checks("2", "fsck.mode=skip").runs).toEqual([]);
  });

  test("that does not appear is reported, and a shell can do without fstab", () => {
    const { console, end } = boot("LABEL=USR /usr ext4", {
      tree: { ...SPLIT, "/usr/sbin/init": INIT },
      words: "rd.timeout=3",
      person: [
        (machine) => {
          retryBoot(machine, ["rd.fstab=no"]);
        },
      ],
    });
    expect(console).toContain('could not find the device for /usr\n  no device with label "USR" appeared within 3 s');
    expect(console).toContain("rd.fstab=no");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("that the kernel refuses is reported with its place", () => {
    const { console, end } = boot("LABEL=USR /usr ext4 bad=option,x-a", {
      tree: SPLIT,
      disks: [usrDisk],
      before: (machine) => machine.refuse("mount", "/sysroot/usr", "EINVAL"),
    });
    expect(end).toBe("poweroff");
    expect(console).toContain("could not mount /dev/vdb at /sysroot/usr");
    expect(console).toContain("correct its options in /etc/fstab of the root");
  });

  test("that a user has mounted by hand stays", () => {
    const booted = boot("LABEL=GONE /usr ext4", {
      tree: SPLIT,
      words: "rd.timeout=1",
      disks: [usrDisk],
      person: [
        (machine) =>
          machine.mount({ source: "/dev/vdb", target: "/sysroot/usr", type: "ext4", flags: ["ro"], options: "" }),
      ],
    });
    expect(line(booted)).toBe("/usr is mounted already");
    expect(booted.end).toMatchObject({ mode: "switch_root" });
  });
});

test("a root without anything to mount below it says nothing", () => {
  const booted = boot("LABEL=HOME /home ext4 defaults 0 2\n/swap none swap sw");
  expect(line(booted)).toBe("");
  expect(booted.console).not.toContain("subtrees");
});

describe("lines of fstab with x-initrd.mount", () => {
  const tree = { ...ROOT_TREE, "/var/log": DIRECTORY, "/srv": DIRECTORY, "/opt/data/file": "x", "/a b": DIRECTORY };
  const disks = [
    { name: "vdb", image: ext4("VAR", { "/log": DIRECTORY, "/deep/tree/file": "x" }) },
    { name: "vdc", image: ext4("LOG", {}) },
  ];
  const mounted = (fstab: string, more: FakeBootOptions & { readonly words?: string } = {}) =>
    boot(fstab, { tree, disks, ...more });

  test("are mounted, parents first, and others are not", () => {
    const booted = mounted(
      [
        "LABEL=LOG /var/log ext4 x-initrd.mount",
        "LABEL=VAR /var ext4 nosuid,x-initrd.mount,nodev",
        "LABEL=HOME /home ext4 defaults",
        "/swap none swap x-initrd.mount",
        "LABEL=ROOT / ext4 x-initrd.mount",
      ].join("\n"),
    );
    expect(booted.journal.filter((one) => /^mount ext4 .*sysroot\//.test(one))).toEqual([
      "mount ext4 /dev/vdb at /sysroot/var (nosuid,nodev)",
      "mount ext4 /dev/vdc at /sysroot/var/log",
    ]);
    expect(booted.end).toMatchObject({ mode: "switch_root" });
  });

  test.each([
    ["tmpfs /srv tmpfs size=1m,nosuid,x-initrd.mount", "mount tmpfs tmpfs at /sysroot/srv (nosuid,size=1m)"],
    ["/opt/data /srv none bind,x-initrd.mount", "mount /sysroot/opt/data at /sysroot/srv (bind)"],
    ["/opt/data /srv none rbind,ro,x-initrd.mount", "mount none at /sysroot/srv (remount,bind,ro)"],
    ["LABEL=VAR /a\\040b ext4 x-initrd.mount", "mount ext4 /dev/vdb at /sysroot/a b"],
    ["LABEL=VAR /new ext4 x-initrd.mount,ro 0 0", "mkdir /sysroot/new"],
    [
      "LABEL=VAR /srv ext4 X-mount.subdir=deep/tree,x-initrd.mount",
      "mount /run/levain/whole/srv/deep/tree at /sysroot/srv (bind)",
    ],
  ])("%p", (fstab, expected) => {
    const words = "rw";
    const { journal, end } = boot(fstab, { tree, disks, words });
    expect(journal).toContain(expected);
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("below /run are mounted where /run is until it moves", () => {
    const link = { ...tree, "/var/run": { link: "/run" } };
    for (const path of ["/run/store", "/var/run/store", "/dev/store"]) {
      const { mounts, end } = boot(`LABEL=VAR ${path} ext4 x-initrd.mount`, { tree: link, disks });
      expect(mounts).toContain(`/sysroot${path.replace("/var", "")} ext4 /dev/vdb`);
      expect(end).toMatchObject({ mode: "switch_root" });
    }
  });

  test("below /run need no /run in the root", () => {
    const without = Object.fromEntries(Object.entries(tree).filter(([path]) => path !== "/run"));
    const { mounts, end } = boot("LABEL=VAR /run/store ext4 x-initrd.mount", { tree: without, disks, words: "rw" });
    expect(mounts).toContain("/sysroot/run/store ext4 /dev/vdb");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("do not lead out of the root, whatever links and dots they contain", () => {
    const links = { ...tree, "/out": { link: "/../../dev" }, "/up": { link: "../../.." }, "/loop": { link: "loop" } };
    const places = (fstab: string) =>
      boot(fstab, { tree: links, disks, words: "rw" }).journal.filter((one) => /^mount (?:ext4|\/)/.test(one));
    expect(places("LABEL=VAR /up/srv ext4 x-initrd.mount")).toContain("mount ext4 /dev/vdb at /sysroot/srv");
    for (const path of ["/../etc", "/srv/../../x", "/loop", "/loop/x", "/opt/data/file/x", "relative"]) {
      const all = places(`LABEL=VAR ${path} ext4 x-initrd.mount,nofail`);
      expect(all.filter((one) => !one.includes(" at /sysroot"))).toEqual([]);
      expect(all).toHaveLength(1);
    }
    expect(places("/../../init /srv none bind,nofail,x-initrd.mount")).toHaveLength(1);
  });

  test.each([
    ["LABEL=GONE /srv ext4 x-initrd.mount,nofail", "could not find the device for /srv: booting without /srv (nofail)"],
    ["host:/export /srv nfs x-initrd.mount,nofail", "booting without /srv (nofail)"],
    ["LABEL=VAR /srv ext4 offset=3,x-initrd.mount,nofail", "booting without /srv (nofail)"],
    ["LABEL=VAR /not/here ext4 x-initrd.mount,nofail", "booting without /not/here (nofail)"],
    ["/gone /srv none bind,x-initrd.mount,nofail", "could not mount /gone at /srv: booting without /srv (nofail)"],
  ])("with nofail may fail, and nothing waits for them: %p", (fstab, said) => {
    const { console, end, endMs } = mounted(fstab);
    expect(console).toContain(said);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(15_000);
  });

  test("of a parameter are mounted before those of fstab", () => {
    const booted = mounted("LABEL=GONE /srv ext4 x-initrd.mount", { words: "rd.mount=LABEL=VAR:/srv:ext4:ro" });
    expect(mountsOf(booted).join()).toContain("/sysroot/srv ext4 /dev/vdb");
  });

  test("with nofail that fails leaves nothing mounted", () => {
    const { console, mounts } = mounted("LABEL=VAR /srv ext4 X-mount.subdir=gone,x-initrd.mount,nofail");
    expect(console).toContain("booting without /srv (nofail)");
    expect(mounts.join()).not.toContain("/dev/vdb");
  });

  test.each([
    [
      "host:/export /srv nfs x-initrd.mount",
      "host:/export is on the network, and levain mounts local filesystems here",
    ],
    ["//host/share /srv cifs x-initrd.mount", "//host/share is on the network"],
    ["tag /srv virtiofs x-initrd.mount", "levain cannot mount tag with the type virtiofs"],
    ["LABEL=VAR /srv ext4 verity.roothash=ab,x-initrd.mount", "levain does not support the option verity.roothash=ab"],
    ["LABEL=VAR /srv/.. ext4 x-initrd.mount", 'its path contains ".."'],
    ["LABEL=VAR /not/here ext4 x-initrd.mount", "the root has no such directory, and it cannot be created"],
    ["LABEL=VAR /new ext4 x-initrd.mount", "the root has no such directory, and it cannot be created"],
    ["LABEL=VAR /opt/data/file ext4 x-initrd.mount", "the root has no such directory, and it cannot be created"],
    ["/gone /srv none bind,x-initrd.mount", "/gone does not exist"],
    ["LABEL=VAR /srv ext4 X-mount.subdir=gone,x-initrd.mount", "gone does not exist"],
  ])("without it stop the boot: %p", (fstab, reason) => {
    const { console, end } = mounted(fstab);
    expect(end).toBe("poweroff");
    const text = console.replaceAll(/\n {2,}/g, " ");
    expect(text).toContain(reason);
    expect(text).toContain("boot without it: rd.fstab=no");
  });

  test("that are too many bytes, or no file, are not read", () => {
    const long = mounted(`LABEL=VAR /srv ext4 x-initrd.mount\n${"#".repeat(1 << 17)}`);
    expect(long.console).toContain("/etc/fstab of the root cannot be read or is too long, ignoring it");
    expect(mountsOf(long)).toEqual([]);
    const fifo = boot("", { tree: { ...tree, "/etc/fstab": { link: "/dev/zero" } } });
    expect(fifo.end).toMatchObject({ mode: "switch_root" });
  });

  test("an image file of the root is mounted read-only", () => {
    const image = fakeImage("squashfs", {}, { "/file": "x" });
    const booted = boot("/opt/app.sfs /srv squashfs loop,x-initrd.mount", {
      tree: { ...tree, "/opt/app.sfs": image.bytes },
      images: [image],
    });
    expect(mountsOf(booted)).toEqual(["/sysroot/srv squashfs /dev/loop0"]);
    expect(booted.end).toMatchObject({ mode: "switch_root" });
  });
});

test("any fstab boots or is reported, in bounded time, and nothing is mounted outside the root", () => {
  const words =
    "LABEL=VAR LABEL= UUID=x tmpfs overlay /dev/vdb /dev/../vdb /opt/data /loop none host:/x /usr /srv /loop/x /out/dev /run/a /var/run/b /../.. \\040 ext4 auto xfs,ext4 nfs bind rbind,ro X-mount.subdir=../.. X-mount.subdir=log size=1x lowerdir=/,upperdir=/ remount user 0 2 99999999999999999999";
  const word = fc.constantFrom(...words.split(" "));
  const line = fc.tuple(word, word, word, fc.array(word, { maxLength: 2 }), fc.constantFrom("", ",nofail"), word);
  const links = { "/loop": { link: "loop" }, "/out": { link: "../../.." }, "/var/run": { link: "/run" } };
  const tree: FakeTree = { ...ROOT_TREE, ...links, "/srv": DIRECTORY, "/opt/data/file": "x" };
  const disks = [{ name: "vdb", image: ext4("VAR", { "/log": DIRECTORY }) }];
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), fc.boolean(), (lines, isWritable) => {
      const fstab = lines.map(([source, target, type, options, nofail, pass]) =>
        [source, target, type, ["x-initrd.mount", ...options].join(",") + nofail, pass, pass].join(" "),
      );
      const booted = boot(fstab.join("\n"), { tree, disks, words: `rd.timeout=1 ${isWritable ? "rw" : ""}` });
      if (booted.end === "poweroff") expect(booted.console).toContain("hint: ");
      else expect(booted.end).toMatchObject({ mode: "switch_root" });
      const outside = booted.mounts.filter((mount) => !/^\/(?:$| |dev|sysroot)/.test(mount));
      expect(outside).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

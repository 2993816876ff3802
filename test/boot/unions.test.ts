import { describe, expect, test } from "bun:test";
import type { Handover } from "../../src/machine/handover.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { ELF, type FakeBootOptions, fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

// Whole boots with directories of the root below a tmpfs, and with a root in memory.

const DIRECTORY = { directory: true } as const;
const TREE: FakeTree = {
  ...ROOT_TREE,
  "/etc": { directory: true, mode: 0o751 },
  "/etc/mtab": "old table",
  "/etc/hostname": "levain",
  "/var": DIRECTORY,
  "/var/lib/state": "base",
  "/tmp": { directory: true, mode: 0o1777 },
};

interface Options extends FakeBootOptions {
  /** Looks at the machine just before the handover. */
  readonly look?: (machine: FakeMachine) => void;
}

function boot(words: string, tree: FakeTree = TREE, { disks = [], look, before, ...rest }: Options = {}) {
  const image = fakeImage("ext4", { label: "ROOT" }, tree);
  return fakeBoot({
    cmdline: `root=LABEL=ROOT ${words}`,
    disks: [{ name: "vda", image }, ...disks],
    before(machine) {
      const { handOver } = machine;
      Object.assign(machine, {
        handOver(handover: Handover) {
          look?.(machine);
          return handOver(handover);
        },
      });
      before?.(machine);
    },
    ...rest,
  });
}

type Booted = ReturnType<typeof fakeBoot>;
const line = ({ record }: Booted) => record.steps.find(({ name }) => name === "subtrees")?.text;
const inRoot = ({ mounts }: Booted) => mounts.filter((mount) => /^\/sysroot(?:\/(?!dev|proc|sys|run)| )/.test(mount));
const textOf = (machine: Machine, path: string) => Buffer.from(machine.readFile(`/sysroot${path}`)).toString();

describe("rd.union=", () => {
  test("puts a tmpfs over directories, and the root stays read-only", () => {
    expect.hasAssertions();
    const look = (machine: Machine) => {
      machine.writeFile("/sysroot/etc/hostname", "changed");
      machine.writeFile("/sysroot/var/new", "");
      expect(() => machine.writeFile("/sysroot/new", "")).toThrow("EROFS");
    };
    const booted = boot("rw ro rd.union=/etc:size=30M rd.union=/var", TREE, { look });
    expect(booted.end).toMatchObject({ mode: "switch_root" });
    expect(inRoot(booted)).toEqual([
      "/sysroot ext4 /dev/vda",
      "/sysroot/etc overlay overlay",
      "/sysroot/var overlay overlay",
    ]);
    expect(line(booted)).toBe("/etc on tmpfs 30M, /var on tmpfs");
    expect(booted.journal).toContain("mount tmpfs tmpfs at /run/levain/union/0 (mode=0755,size=30M)");
  });

  test("keeps the permissions of the directory, and links a mtab that is a file", () => {
    const looks: unknown[] = [];
    const etc = (machine: Machine) =>
      looks.push(
        machine.stat("/sysroot/etc")?.mode,
        machine.readLink("/sysroot/etc/mtab"),
        textOf(machine, "/etc/hostname"),
      );
    boot("rd.union=/etc", TREE, { look: etc });
    boot("rd.union=/etc", { ...TREE, "/etc/mtab": { link: "/proc/mounts" } }, { look: etc });
    boot(
      "rd.union=/var",
      { ...TREE, "/var/mtab": "data" },
      { look: (machine) => looks.push(textOf(machine, "/var/mtab"), textOf(machine, "/etc/mtab")) },
    );
    expect(looks).toEqual([
      ...[0o751, "../proc/self/mounts", "levain"],
      ...[0o751, "/proc/mounts", "levain"],
      ...["data", "old table"],
    ]);
  });

  test("comes after what fstab mounts there, and keeps its restrictions", () => {
    const image = fakeImage("ext4", { label: "VAR" }, { "/lib/state": "disk" });
    const tree = { ...TREE, "/etc/fstab": "LABEL=VAR /var ext4 ro,nosuid,nodev,x-initrd.mount\n" };
    const booted = boot("rd.union=/var/lib rd.union=/var:size=1M", tree, {
      disks: [{ name: "vdb", image }],
      look: (machine) => expect(textOf(machine, "/var/lib/state")).toBe("disk"),
    });
    const steps = booted.journal.filter((one) => /^mount .*sysroot\/var/.test(one));
    expect(steps.map((one) => /at (\S+) \((.*?)(?:,lower|\))/.exec(one)?.slice(1))).toEqual([
      ["/sysroot/var", "ro,nosuid,nodev"],
      ["/sysroot/var", "nosuid,nodev"],
      ["/sysroot/var/lib", "nosuid,nodev"],
    ]);
    expect(booted.end).toMatchObject({ mode: "switch_root" });
  });

  test("the last of two for one directory counts, also of levain.toml and the command line", () => {
    const manifest = { version: 1, kernel: null, parameters: ["rd.union=/etc:size=1M", "rd.union=/var"] };
    const booted = boot("rd.union=/etc:size=2M", TREE, { files: { "/etc/levain.json": JSON.stringify(manifest) } });
    expect(line(booted)).toBe("/etc on tmpfs 2M, /var on tmpfs");
  });

  test.each([
    ["/none", TREE, "the root has no directory /none"],
    ["/etc/hostname", TREE, "the root has no directory /etc/hostname"],
    ["/cfg", { ...TREE, "/cfg": { link: "etc" } }, "a symbolic link leads from there to /etc"],
    ["/cfg/x", { ...TREE, "/cfg": { link: "/run" } }, "the root has no directory /cfg/x"],
    ["/out", { ...TREE, "/out": { link: "/../.." } }, "a symbolic link leads from there to /"],
  ])("%s that is missing or a link is reported", (path, tree, reason) => {
    for (const name of ["rd.union", "rd.tmpfs"]) {
      const { console, end } = boot(`${name}=${path}`, tree);
      expect(console).toContain(`could not put a tmpfs over ${path} of the root\n  ${reason}`);
      expect(end).toBe("poweroff");
    }
  });

  test("that the kernel refuses is taken back and reported with the kernel's words", () => {
    const { console, shells } = boot("rd.union=/etc", TREE, {
      person: [
        (machine) => {
          expect(machine.listDirectory("/run/levain/union/0")).toEqual([]);
          machine.power("poweroff");
        },
      ],
      before(machine) {
        machine.refuse("mount", "/sysroot/etc", "EINVAL");
      },
    });
    expect(console).toContain("could not put an overlay over /etc of the root");
    expect(shells).toBe(1);
  });

  test.each(["/etc:size=1X", "etc", "/", "/run/x", "/proc", "/a/../b", "/etc:30M", "/a,b", "", "/etc:size="])(
    "=%s is a mistake",
    (value) => {
      expect(boot(`rd.union=${value}`).console).toContain(`rd.union=${value}: Expected PATH[:size=SIZE]`);
    },
  );
});

describe("rd.tmpfs=", () => {
  test("puts an empty tmpfs over a directory, with its permissions", () => {
    const look = (machine: Machine) => {
      expect(machine.stat("/sysroot/tmp")?.mode).toBe(0o1777);
      expect(machine.stat("/sysroot/var")?.mode).toBe(0o755);
      expect(machine.listDirectory("/sysroot/var")).toEqual([]);
    };
    const booted = boot("rd.tmpfs=/tmp:size=9M rd.tmpfs=/var", TREE, { look });
    expect(booted.end).toMatchObject({ mode: "switch_root" });
    expect(inRoot(booted)).toEqual(["/sysroot ext4 /dev/vda", "/sysroot/tmp tmpfs tmpfs", "/sysroot/var tmpfs tmpfs"]);
    expect(booted.journal).toContain("mount tmpfs tmpfs at /run/levain/tmpfs/0 (nosuid,nodev,mode=0755,size=9M)");
    expect(line(booted)).toBe("/tmp tmpfs 9M, /var tmpfs");
  });

  test("=/run sets the size of the tmpfs that is there", () => {
    const booted = boot("rd.tmpfs=/run:size=20%");
    expect(booted.journal).toContain("mount tmpfs tmpfs at /run (remount,nosuid,nodev,mode=0755,size=20%)");
    expect(booted.end).toMatchObject({ mode: "switch_root" });
  });

  test("is systemd.volatile=state for /var", () => {
    expect(line(boot("systemd.volatile=state"))).toBe("/var tmpfs");
    expect(line(boot("systemd.volatile=no"))).toBe("");
  });
});

describe("systemd.volatile=yes", () => {
  const links: FakeTree = Object.fromEntries(
    ["bin", "lib", "lib64", "sbin"].map((name) => [`/${name}`, { link: `usr/${name}` }] as const),
  );
  const merged: FakeTree = {
    ...links,
    "/usr/sbin/init": { data: ELF, mode: 0o755 },
    "/usr/lib/systemd/systemd-udevd": { data: ELF, mode: 0o755 },
    "/etc/secret": "x",
    "/home": { link: "/mnt" },
    "/var": DIRECTORY,
  };

  test("is a root in memory with the /usr of the device, which is not written", () => {
    const look = (machine: Machine) => {
      expect(machine.listDirectory("/sysroot")).toEqual(
        "bin dev etc lib lib64 proc root run sbin sys tmp usr var".split(" "),
      );
      expect(machine.listDirectory("/sysroot/etc")).toEqual(["mtab"]);
      expect(machine.stat("/sysroot/tmp")?.mode).toBe(0o1777);
      expect(() => machine.writeFile("/sysroot/usr/new", "")).toThrow("EROFS");
    };
    const booted = boot("rw systemd.volatile=yes rd.overlay.size=64M", merged, { look });
    expect(booted.end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
    expect(inRoot(booted)).toEqual(["/sysroot tmpfs tmpfs", "/sysroot/usr ext4 /dev/vda"]);
    expect(booted.journal).toContain("mount tmpfs tmpfs at /sysroot (mode=0755,size=64M)");
    expect(booted.console).toContain("layers    its /usr in a tmpfs at /sysroot");
    expect(line(booted)).toBe("/usr from /run/levain/base/usr");
  });

  test("takes a /usr of its own from fstab, also without writing to it", () => {
    const usr = {
      name: "vdb",
      image: fakeImage("ext4", { label: "USR" }, { "/sbin/init": { data: ELF, mode: 0o755 } }),
    };
    const fstab = "LABEL=USR /usr ext4 defaults 0 2\nLABEL=GONE /var ext4 x-initrd.mount\n";
    const booted = boot("systemd.volatile=yes", { ...links, "/usr": DIRECTORY, "/etc/fstab": fstab }, { disks: [usr] });
    expect(inRoot(booted)).toEqual(["/sysroot tmpfs tmpfs", "/sysroot/usr ext4 /dev/vdb"]);
    expect(booted.journal).toContain("protect /dev/vdb");
  });

  test("of an image, without an overlay over it", () => {
    const squashfs = fakeImage("squashfs", {}, merged);
    const medium = fakeImage("vfat", { label: "FLASH" }, { "/root.sfs": squashfs.bytes });
    const booted = fakeBoot({
      cmdline: "root=LABEL=FLASH rd.image=/root.sfs systemd.volatile=yes",
      disks: [{ name: "sda", image: medium }],
      images: [squashfs],
    });
    expect(booted.end).toMatchObject({ mode: "switch_root" });
    expect(inRoot(booted)).toEqual(["/sysroot tmpfs tmpfs", "/sysroot/usr squashfs /dev/loop0"]);
  });

  test("of a root whose programs are not all in /usr is reported", () => {
    const { console, end } = boot("systemd.volatile=yes", TREE);
    expect(end).toBe("poweroff");
    expect(console).toContain("none of /bin, /lib and /sbin of the root is a link into /usr");
  });

  test("goes with unions and tmpfs: nothing of the root below them is seen", () => {
    const booted = boot("systemd.volatile=yes rd.tmpfs=/var", merged);
    expect(inRoot(booted)).toEqual(["/sysroot tmpfs tmpfs", "/sysroot/usr ext4 /dev/vda", "/sysroot/var tmpfs tmpfs"]);
  });
});

describe("rd.union= with a device", () => {
  const MIB = 2 ** 20;
  const data = (tree: FakeTree = {}, more: { readonly isUnclean?: boolean } = {}) =>
    fakeImage("ext4", { label: "DATA", sizeBytes: 4 * MIB, ...more }, tree);
  const withData = (words: string, image: FakeImage, more: Options = {}, tree: FakeTree = TREE) =>
    boot(words, tree, { disks: [{ name: "vdb", image }], ...more });
  const overlays = ({ journal }: Booted) =>
    journal.flatMap((one) => /^mount overlay .* at (\S+) \(.*?lowerdir=([^,]*)/.exec(one)?.slice(1).join(" ") ?? []);

  test("shows the changes of earlier boots below the tmpfs, and writes no new ones there", () => {
    const image = data({ "/var/upper/lib/state": "kept", "/cfg/upper/hostname": "kept" });
    expect.hasAssertions();
    const look = (machine: Machine) => {
      expect(textOf(machine, "/var/lib/state")).toBe("kept");
      expect(textOf(machine, "/etc/hostname")).toBe("kept");
      machine.writeFile("/sysroot/var/lib/state", "new");
      for (const place of ["stores/0", "stores/disk-0", "stores/1"])
        expect(() => machine.writeFile(`/sysroot/run/levain/${place}/new`, "")).toThrow("EROFS");
    };
    const booted = withData("rd.union=/var:size=50M:LABEL=DATA rd.union=/etc:LABEL=DATA:/cfg", image, { look });
    expect(booted.end).toMatchObject({ mode: "switch_root" });
    expect(overlays(booted)).toEqual([
      "/sysroot/var /run/levain/stores/0/upper:/run/levain/union/0-base",
      "/sysroot/etc /run/levain/stores/1/upper:/run/levain/union/1-base",
    ]);
    expect(line(booted)).toBe(
      '/var on tmpfs 50M over /var on /dev/vdb ext4 "DATA", /etc on tmpfs over /cfg on /dev/vdb ext4 "DATA"',
    );
  });

  test("keeps the directory of the root where levain sync finds it later, read-only and with its restrictions", () => {
    const tree = { ...TREE, "/etc/fstab": "LABEL=VAR /var ext4 ro,nosuid,nodev,x-initrd.mount\n" };
    const disks = [
      { name: "vdb", image: data({ "/var/upper/lib/state": "kept" }) },
      { name: "vdc", image: fakeImage("ext4", { label: "VAR" }, { "/lib/state": "disk" }) },
    ];
    expect.hasAssertions();
    const look = (machine: Machine) => {
      expect(() => machine.writeFile("/sysroot/run/levain/union/0-base/new", "")).toThrow("EROFS");
      const modes = ["union", "stores"].map((name) => machine.stat(`/sysroot/run/levain/${name}`)?.mode ?? 0);
      expect(modes.map((mode) => mode & 0o777)).toEqual([0o700, 0o700]);
    };
    const { journal } = boot("rd.union=/var:size=1M:LABEL=DATA", tree, { disks, look });
    expect(journal.filter((one) => one.includes("0-base ("))).toEqual([
      "mount /sysroot/var at /run/levain/union/0-base (bind)",
      "mount none at /run/levain/union/0-base (remount,bind,ro,nosuid,nodev)",
    ]);
  });

  test("makes the directory with the permissions of the root's", () => {
    const image = data();
    const booted = withData("rd.union=/etc:LABEL=DATA", image);
    expect(booted.end).toMatchObject({ mode: "switch_root" });
    expect(booted.journal).toContain("attributes of /sysroot/etc for /run/levain/stores/0/upper");
    const etc = image.root.entries.get("etc");
    expect(etc?.kind === "directory" && etc.entries.get("upper")).toMatchObject({ kind: "directory", mode: 0o751 });
  });

  test("writes nothing with rd.overlay.readonly, and needs nothing to be there", () => {
    const image = data({ "/etc": DIRECTORY });
    const before = image.bytes.slice();
    const booted = withData("rd.union=/etc:LABEL=DATA rd.overlay.readonly", image);
    expect(booted.end).toMatchObject({ mode: "switch_root" });
    expect(overlays(booted)).toEqual(["/sysroot/etc /sysroot/etc"]);
    expect(booted.journal).toContain("protect /dev/vdb");
    expect(image.root.entries.get("etc")).toMatchObject({ entries: new Map() });
    expect(image.bytes).toEqual(before);
  });

  test("that cannot be used stops the boot, unless the policy allows to go on", () => {
    const vfat = fakeImage("vfat", { label: "DATA" });
    const cases = [
      ["LABEL=GONE", vfat, "could not find the device for the changes, LABEL=GONE"],
      ["LABEL=DATA", vfat, "cannot keep changes"],
      ["LABEL=DATA", data({ "/etc/upper": "a file" }), "it is a file, not a directory"],
    ] as const;
    for (const [device, image, reason] of cases) {
      const words = `rd.timeout=1 rd.union=/etc:${device}`;
      const required = withData(words, image);
      expect(required.end).toBe("poweroff");
      expect(required.console.replaceAll(/\n {2,}/g, " ")).toContain(reason);
      const fallback = withData(`${words} rd.overlay.policy=fallback`, image);
      expect(fallback.end).toMatchObject({ mode: "switch_root" });
      expect(overlays(fallback)).toEqual(["/sysroot/etc /sysroot/etc"]);
      expect(fallback.console).toContain("booting without what was kept of /etc");
    }
  });

  test.each([
    ["y", true],
    ["n", false],
  ])("with rd.overlay.policy=ask a person decides: %s", (text, boots) => {
    const words = "rd.timeout=1 rd.union=/etc:LABEL=NONE rd.overlay.policy=ask";
    const done = withData(words, data({}), { typing: [{ terminal: "/dev/ttyS0", text }] });
    expect(overlays(done)).toEqual(boots ? ["/sysroot/etc /sysroot/etc"] : []);
    expect(done.console.includes("booting without what was kept of /etc")).toBe(boots);
  });

  test.each([
    "/etc:30",
    "/etc:size=9M:",
    "/etc:LABEL=",
    "/etc:LABEL=D:auto",
    "/etc:LABEL=D:size=9M/..",
    "/etc:LABEL=D:/../x",
  ])("=%s is a mistake", (value) => {
    const text = boot(`rd.union=${value}`).console.replaceAll(/\n {2,}/g, " ");
    expect(text).toContain(`rd.union=${value}: Expected PATH[:size=SIZE][:DEVICE`);
  });
});

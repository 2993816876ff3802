import { describe, expect, test } from "bun:test";
import { crc32c } from "../../src/formats/checksums.ts";
import type { ArrayRequest, PendingArray } from "../../src/machine/storage/arrays.ts";
import { type FakeMember, fakeMember } from "../support/fake-arrays.ts";
import { ELF, type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { fakeImage } from "../support/fake-images.ts";
import { partitionDisk } from "../support/fake-partitions.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const root = rootImage();
const FILES = {
  ...INITRAMFS,
  [`${MODULES}/modules.dep`]:
    "kernel/md-mod.ko:\nkernel/raid1.ko: kernel/md-mod.ko\nkernel/raid0.ko: kernel/md-mod.ko\n",
  ...Object.fromEntries(["md-mod", "raid0", "raid1"].map((name) => [`${MODULES}/kernel/${name}.ko`, "module"])),
};
const member = (name: string, more: FakeMember, rest: Partial<FakeDisk> = {}): FakeDisk => ({
  name,
  content: fakeMember(root, more),
  ...rest,
});
const boot = (disks: readonly FakeDisk[], more: FakeBootOptions = {}) =>
  fakeBoot({
    cmdline: "root=LABEL=ROOT",
    images: [root],
    files: FILES,
    modules: { md_mod: {}, raid0: { needs: ["md_mod"] }, raid1: { needs: ["md_mod"] } },
    disks,
    ...more,
  });
const PAIR = [member("vda", { place: 0 }), member("vdb", { place: 1 })] as const;

describe("an array of which all members are there", () => {
  test.each([["LABEL=ROOT"], ["UUID=0a1b2c3d-0000-4000-8000-00000000abcd"], ["/dev/md0"], ["/dev/md/0"], ["/dev/vda"]])(
    "root=%s is found in it at once",
    (spec) => {
      const { end, journal, endMs, console } = boot(PAIR, { cmdline: `root=${spec}` });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(journal).toContain("mount ext4 /dev/md0 at /sysroot (ro)");
      expect(endMs).toBeLessThan(3000);
      expect(console).toContain('root      /dev/md0 ext4 "ROOT"');
    },
  );

  test("/usr is found in it by the fstab of a root outside it", () => {
    const program = { data: ELF, mode: 0o755 };
    const usr = fakeImage("ext4", { label: "USR" }, { "/sbin/init": program, "/lib/systemd/systemd-udevd": program });
    const directories = ["/dev", "/proc", "/sys", "/run", "/usr"].map((path) => [path, { directory: true }] as const);
    const outside = fakeImage(
      "ext4",
      { label: "ROOT" },
      {
        ...Object.fromEntries(directories),
        "/sbin": { link: "usr/sbin" },
        "/etc/fstab": "LABEL=USR /usr ext4 ro 0 2\n",
      },
    );
    const members = ["vdb", "vdc"].map((name, place) => ({ name, content: fakeMember(usr, { place }) }));
    const { end, journal } = boot([{ name: "vda", image: outside }, ...members], { images: [usr] });
    expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
    expect(journal).toContain("mount ext4 /dev/md0 at /sysroot/usr (ro)");
  });

  test("its name is a number that nobody has if it has none of its own", () => {
    const named = PAIR.map(({ name }, place) => member(name, { place, name: "host:system" }));
    const { journal } = boot(named);
    expect(journal).toContain("mount ext4 /dev/md127 at /sysroot (ro)");
    expect(journal).toContain("link /dev/md/system to ../md127");
  });

  test("it is not started if it is not asked for", () => {
    for (const words of ["rd.md=0", "rd.md.uuid=11111111:22222222:33333333:44444444"]) {
      const { end, journal } = boot(PAIR, { cmdline: `root=LABEL=ROOT rd.timeout=5 rdshell=0 ${words}` });
      expect(end).toBe("halt");
      expect(journal.join("\n")).not.toContain("start md");
    }
  });

  test("it is stopped again if the root is elsewhere", () => {
    const other = PAIR.map(({ name }, place) => ({
      name,
      content: fakeMember(fakeImage("ext4", { label: "DATA" }), { place }),
    }));
    const { end, journal } = boot([...other, { name: "vdc", image: root, arrivesAtMs: 4000 }]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("start md0 1.2 of 8:0 and 8:16");
    expect(journal).toContain("stop md0");
    expect(journal.slice(journal.indexOf("stop md0"))).toContain("remove /dev/md/0");
  });
});

describe("an array of which members are missing", () => {
  test("is started when they have been waited for, and that is said", () => {
    const { end, endMs, console, journal } = boot([member("vda", { place: 0 })]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/md0 at /sysroot (ro)");
    expect(endMs).toBeGreaterThan(20_000);
    expect(console).toContain(
      'waiting for the array "host:0" (RAID 1): 1 of 2 members is present: member 1 is missing',
    );
    expect(console).toContain(
      'the array "host:0" (RAID 1) is degraded: 1 of 2 members is present: member 1 is missing',
    );
  });

  test("is complete if the member comes meanwhile", () => {
    const { endMs, console } = boot([member("vda", { place: 0 }), member("vdb", { place: 1 }, { arrivesAtMs: 8000 })]);
    expect(endMs).toBeLessThan(12_000);
    expect(console).not.toContain("degraded");
  });

  test("is not started if the data are not all there", () => {
    const disks = [member("vda", { place: 0, level: 0 })];
    const { end, console } = boot(disks, { cmdline: "root=LABEL=ROOT rd.timeout=5 rdshell=0" });
    expect(end).toBe("halt");
    expect(console).toContain("1 of 2 members is present: member 1 is missing");
  });
});

test("a member that was absent is left out, and named", () => {
  const disks = [member("vda", { place: 0, events: 5 }), member("vdb", { place: 1, events: 10 })];
  const { journal, console } = boot(disks, { cmdline: "root=LABEL=ROOT rd.timeout=6" });
  expect(journal).toContain("mount ext4 /dev/md0 at /sysroot (ro)");
  expect(console).toContain('/dev/vda is out of date: the array "host:0" (RAID 1) was written to without it');
  expect(journal.find((line) => line.startsWith("start md"))).toBe("start md0 1.2 of 8:16");
});

test.each([
  ["a reshape", { features: 4 }, "a reshape of it was interrupted, which mdadm has to continue"],
  ["a missing journal", { features: 512 }, "its journal device is missing"],
  ["an unknown level", { level: 7 }, "its level 7 is not known"],
  ["a crafted number of members", { disks: 400 }, "it has 400 members, which cannot be"],
])("an array with %s is not started, and that is said", (_, more, why) => {
  const disks = [0, 1].map((place) => member(`vd${"ab"[place]}`, { place, ...more }));
  const { end, console, journal } = boot(disks, { cmdline: "root=LABEL=ROOT rd.timeout=5 rdshell=0" });
  expect(end).toBe("halt");
  expect(console.replaceAll(/\n +/g, " ")).toMatch(new RegExp(`the array "host:0" \\(RAID .\\): ${why}`));
  expect(console).toContain("mdadm --examine");
  expect(journal.join("\n")).not.toContain("start md");
});

test("a copy of a member is not mixed in", () => {
  const disks = [...PAIR, member("vdc", { place: 1 })];
  const { end, console } = boot(disks, { cmdline: "root=LABEL=ROOT rd.timeout=5 rdshell=0" });
  expect(end).toBe("halt");
  expect(console.replaceAll(/\n +/g, " ")).toContain("two devices are its member 1: one is a copy of the other");
});

test("a kernel that refuses is quoted, and asked once", () => {
  const { end, console, journal } = boot(PAIR, {
    cmdline: "root=LABEL=ROOT rd.timeout=5 rdshell=0",
    before: (machine) => machine.refuse("startArray", /./, "EINVAL"),
  });
  expect(end).toBe("halt");
  expect(console).toContain('the array "host:0" (RAID 1) is not started');
  expect(journal.filter((line) => line.startsWith("start md")).length).toBeLessThan(2);
});

test("an array that the kernel refused is started when a further member has come", () => {
  const { end, journal, console } = boot([PAIR[0], member("vdb", { place: 1 }, { arrivesAtMs: 25_000 })], {
    before: (machine) => machine.refuse("startArray", /of 8:0$/, "EIO"),
    cmdline: "root=LABEL=ROOT rd.timeout=30",
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal).toContain("start md0 1.2 of 8:0 and 8:16");
  expect(console).not.toContain("is not started");
});

describe("a member that stops to answer holds up nothing else", () => {
  const NEVER = Number.POSITIVE_INFINITY;

  test("after its probe: the array is degraded", () => {
    const { end, console, journal } = boot(PAIR, {
      before(machine) {
        const { openAsyncReader, openReader } = machine;
        let opened = 0;
        const silent = { size: () => null, read: () => null, close: () => undefined };
        Object.assign(machine, {
          openAsyncReader: (path: string) => (path === "/dev/vdb" && opened++ > 0 ? silent : openAsyncReader(path)),
          openReader(path: string) {
            if (path === "/dev/vdb") throw new Error("the boot would wait here");
            return openReader(path);
          },
        });
      },
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("start md0 1.2 of 8:0");
    expect(console).toContain("is degraded");
  });

  test.each([
    ["never", NEVER, "vdc", ["md0"]],
    ["after 3 s", 3000, "md0", []],
  ])("while the array starts, and answers %s", (_, delayMs, device, leftArrays) => {
    const left: string[] = [];
    const others = [{ name: "vdc", image: root, arrivesAtMs: 5000 }];
    const { end, journal, console, endMs } = boot([...PAIR, ...others], {
      before(machine) {
        const { startArray, nowMs, sleepMs } = machine;
        Object.assign(machine, {
          startArray(request: ArrayRequest): PendingArray {
            const dueMs = nowMs() + delayMs;
            return {
              isStarted(timeoutMs) {
                sleepMs(Math.min(timeoutMs, Math.max(0, dueMs - nowMs())));
                return dueMs <= nowMs() && startArray(request).isStarted(0);
              },
              leave: () => void left.push(request.name),
            };
          },
        });
      },
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain(`mount ext4 /dev/${device} at /sysroot (ro)`);
    expect(console).toContain('the array "host:0" (RAID 1) does not answer yet: the boot continues meanwhile');
    // An array that is started after the search must not stay: nothing knows of it.
    expect(left).toEqual(leftArrays);
    expect(endMs).toBeLessThan(8000);
  });
});

describe("a disk that is a member from its first byte on shows the partitions of the array, too", () => {
  const inner = fakeImage("ext4", { label: "ROOT", sizeBytes: 4 << 20 }, ROOT_TREE);
  const { bytes } = partitionDisk([{ image: inner }]);
  const whole = (name: string, place: number, more: Partial<FakeDisk> = {}): FakeDisk => ({
    ...{ name, content: fakeMember({ bytes }, { place, metadata: "1.0" }), partitions: [{ image: inner }] },
    ...more,
  });

  test.each(["LABEL=ROOT", "/dev/md0p1", "/dev/vda1"])(
    "root=%s is that of the array, also where members are missing",
    (spec) => {
      const cmdline = `root=${spec} rd.timeout=6`;
      for (const disks of [[whole("vda", 0), whole("vdb", 1)], [whole("vda", 0)]]) {
        const { end, journal } = boot(disks, { cmdline });
        expect(end).toMatchObject({ mode: "switch_root" });
        expect(journal.filter((line) => line.startsWith("mount ext4"))).toEqual([
          "mount ext4 /dev/md0p1 at /sysroot (ro)",
        ]);
      }
    },
  );

  test("the root is none of a member of an array that cannot be started", () => {
    const bad = { ...whole("vda", 0), content: fakeMember({ bytes }, { place: 0, metadata: "1.0", features: 4 }) };
    const { end, journal, console } = boot([bad], { cmdline: "root=LABEL=ROOT rd.timeout=3 rdshell=0" });
    expect(end).toBe("halt");
    expect(journal.join("\n")).not.toContain("mount ext4");
    expect(console.replaceAll(/\n +/g, " ")).toContain("a reshape of it was interrupted");
  });

  test("the partitions are used as they are if no array is wanted", () => {
    const { journal } = boot([whole("vda", 0)], { cmdline: "root=/dev/vda1 rd.md=0" });
    expect(journal).toContain("mount ext4 /dev/vda1 at /sysroot (ro)");
  });
});

test("no array of a btrfs of several devices is stopped before it is mounted", () => {
  const AT = 64 * 1024;
  const one = fakeImage("btrfs", { label: "ROOT", uuid: "0a1b2c3d-0000-4000-8000-0000000000ff" }, ROOT_TREE);
  const images = [1, 2].map((id) => {
    const bytes = Buffer.from(one.bytes);
    bytes.writeBigUInt64LE(2n, AT + 0x88);
    bytes.writeBigUInt64LE(BigInt(id), AT + 0xc9);
    bytes.writeUInt32LE(crc32c(bytes.subarray(AT + 32, AT + 4096)), AT);
    return { ...one, bytes: new Uint8Array(bytes) };
  });
  const disks = images.map((image, index) => ({
    name: `vd${"ab"[index]}`,
    content: fakeMember(image, {
      place: 0,
      disks: 1,
      name: `h:${index}`,
      uuid: `${index}1111111-2222-3333-4444-555555555555`,
    }),
  }));
  const { end, journal } = boot(disks, {
    images,
    filesystems: ["btrfs"],
    files: { ...FILES, "/dev/btrfs-control": { node: "character", number: "10:234" } },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal.filter((line) => line.startsWith("start md"))).toHaveLength(2);
  expect(journal.filter((line) => line.startsWith("stop md"))).toEqual([]);
});

describe("a mirror of which one member is on a stick", () => {
  const disks = [PAIR[0], { ...member("sda", { place: 1 }), isRemovable: true }];

  test("is started when no disk of the machine has come in its place", () => {
    const { end, endMs } = boot(disks);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeGreaterThan(9000);
  });

  test("is not started if one comes", () => {
    const { console, journal } = boot([...disks, { ...PAIR[1], arrivesAtMs: 2000 }], {
      cmdline: "root=LABEL=ROOT rd.timeout=6 rdshell=0",
    });
    expect(console).toMatch(/two devices are its member 1: one is a copy of\s+the other/);
    expect(journal.join("\n")).not.toContain("mount ext4 /dev/md0");
  });
});

describe("a stick with an array of the root's name takes neither its name nor its number", () => {
  const uuid = "11111111-2222-3333-4444-555555555555";
  const theirs = fakeImage("ext4", { label: "THEIRS" }, ROOT_TREE);
  const stick = (name: string): FakeDisk => ({
    ...{ name: "sda", content: fakeMember(theirs, { place: 0, disks: 1, name, uuid }), isRemovable: true },
  });

  test.each([
    ["/dev/md/system", "h:system", "x:system", 0],
    ["/dev/md0", "h:0", "x:0", 0],
    ["/dev/md/system, later than the stick", "h:system", "x:system", 3000],
  ])("root=%s", (spec, own, other, arrivesAtMs) => {
    const pair = [0, 1].map((place) => member(`vd${"ab"[place]}`, { place, name: own }, { arrivesAtMs }));
    const later = arrivesAtMs === 0 ? {} : { cmdline: "root=UUID=0a1b2c3d-0000-4000-8000-00000000abcd" };
    const { end, console, journal } = boot([stick(other), ...pair], {
      ...{ cmdline: `root=${spec}`, images: [root, theirs], ...later },
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toMatch(/root {6}\/dev\/md\d+ ext4 "ROOT"/);
    if (arrivesAtMs > 0) expect(journal).toContain("link /dev/md/system to ../md126");
  });
});

test.each([
  ["with more events", { place: 1, events: 99 }],
  ["of another shape", { place: 0, disks: 1, events: 99 }],
])("a stick that says to be a newer member %s is not the root beside the members of the machine", (_, more) => {
  const theirs = fakeImage("ext4", { label: "ROOT" }, ROOT_TREE);
  const stick: FakeDisk = { name: "sda", content: fakeMember(theirs, more), isRemovable: true };
  const options = { cmdline: "root=LABEL=ROOT rd.timeout=6 rdshell=0", images: [root, theirs] };
  const { end, console, journal } = boot([stick, ...PAIR], options);
  expect(end).toBe("halt");
  expect(journal.join("\n")).not.toMatch(/start md|mount ext4/);
  expect(console.replaceAll(/\n +/g, " ")).toContain(
    "its newest members are on a stick, and those of the machine are out of date",
  );
  expect(boot([stick], options).end).toMatchObject({ mode: "switch_root" });
});

describe("the name of an array", () => {
  const UUID = "0f6f4b5c:1d2e3f40:51627384:95a6b7c8";
  const named = PAIR.map(({ name }, place) => member(name, { place, name: "host:system" }));
  const uuidOf = (journal: readonly string[]) => journal.find((line) => line.startsWith("mount ext4"));

  test.each([
    ["rd.md.name=", `rd.md.name=md7:${UUID}`, {}],
    ["mdadm.conf", "", { "/etc/mdadm/mdadm.conf": `HOMEHOST <system>\nARRAY /dev/md7 metadata=1.2\n  UUID=${UUID}\n` }],
  ] as const)("is what %s says", (_, words, files) => {
    const { journal } = boot(named, { cmdline: `root=LABEL=ROOT ${words}`, files: { ...FILES, ...files } });
    expect(uuidOf(journal)).toBe("mount ext4 /dev/md7 at /sysroot (ro)");
    expect(journal).toContain("link /dev/md/system to ../md7");
  });

  test("is the only one below /dev/md if mdadm.conf gives it", () => {
    const files = { ...FILES, "/etc/mdadm.conf": `ARRAY /dev/md/base UUID=${UUID}\n` };
    const { journal } = boot(named, { cmdline: "root=/dev/md/base", files });
    expect(journal.filter((line) => line.startsWith("link /dev/md/"))).toEqual(["link /dev/md/base to ../md127"]);
    expect(uuidOf(journal)).toBe("mount ext4 /dev/md127 at /sysroot (ro)");
  });

  test("counts in a long mdadm.conf too, and a file that is too long to be one is named", () => {
    const line = `ARRAY /dev/md7 UUID=${UUID}\n`;
    const bootWith = (comment: string) =>
      boot(named, { cmdline: "root=LABEL=ROOT", files: { ...FILES, "/etc/mdadm.conf": `# ${comment}\n${line}` } });
    expect(uuidOf(bootWith("x".repeat(5000)).journal)).toBe("mount ext4 /dev/md7 at /sysroot (ro)");
    const { console } = bootWith("x".repeat(70_000));
    expect(console).toContain("/etc/mdadm.conf: ignoring the file, which is larger than 64 KiB");
  });

  test("AUTO -all in mdadm.conf starts no other array, and what is not obeyed is named", () => {
    const conf = "AUTO -all\nDEVICE /dev/sd*\nARRAY /dev/md7 UUID=11111111:22222222:33333333:44444444\n";
    const { journal, end, console } = boot(named, {
      cmdline: "root=LABEL=ROOT rd.timeout=5 rdshell=0",
      files: { ...FILES, "/etc/mdadm.conf": conf },
    });
    expect(end).toBe("halt");
    expect(journal.join("\n")).not.toContain("start md");
    expect(console).toContain("/etc/mdadm.conf: ignoring DEVICE /dev/sd*: levain looks at every device");
  });
});

import { describe, expect, test } from "bun:test";
import type { ReadPlace } from "../../src/machine/async.ts";
import { fakeBoot, rootImage, stick } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { fakeImage } from "../support/fake-images.ts";

const NEVER = Number.POSITIVE_INFINITY;
const OTHER = fakeImage("ext4", { label: "OTHER" });
const ROOT: FakeDisk = { name: "vdb", image: rootImage() };

describe("a slow device holds up no other", () => {
  for (const [what, slow] of [
    ["never answers", { name: "vda", image: OTHER, answersAfterMs: NEVER }],
    ["takes 4 s for each read", { name: "vda", image: OTHER, answersAfterMs: 4000 }],
    ["has partitions and never answers", { name: "vda", partitions: [{ image: OTHER }], answersAfterMs: NEVER }],
  ] as const satisfies readonly (readonly [string, FakeDisk])[]) {
    for (const root of ["LABEL=ROOT", "/dev/vdb", "UUID=0a1b2c3d-0000-4000-8000-00000000abcd"]) {
      test(`${root} is taken beside a disk that ${what}`, () => {
        const { end, endMs, console, journal } = fakeBoot({ cmdline: `root=${root}`, disks: [slow, ROOT] });
        expect(end).toMatchObject({ mode: "switch_root" });
        expect(journal).toContain("mount ext4 /dev/vdb at /sysroot (ro)");
        expect(endMs).toBeLessThan(2500);
        expect(
          console.match(/\/dev\/vda \(.*has not answered yet, 0 bytes read\): the boot continues meanwhile/g),
        ).toHaveLength(1);
      });
    }
  }

  test("a root that takes longer than the usual wait to answer is waited for, unless rd.timeout= says how long", () => {
    const disks: readonly FakeDisk[] = [{ ...ROOT, answersAfterMs: 16_000 }];
    expect(fakeBoot({ cmdline: "root=LABEL=ROOT", disks }).end).toMatchObject({ mode: "switch_root" });
    const short = fakeBoot({ cmdline: "root=LABEL=ROOT rd.timeout=20", disks });
    expect(short.console).toContain("appeared within 20 s");
    const silent = fakeBoot({ cmdline: "root=LABEL=ROOT", disks: [{ ...ROOT, answersAfterMs: NEVER }] });
    expect(silent.endMs).toBeLessThan(190_000);
    expect(silent.console).toContain("has not answered yet");
  });

  test("a partition is found by its name in the table while another disk never answers", () => {
    const partition = { image: rootImage(), name: "system", uuid: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" };
    const disks = [
      { name: "vda", partitions: [{ image: OTHER }], answersAfterMs: NEVER },
      { name: "vdb", partitions: [partition] },
    ];
    for (const root of ["PARTLABEL=system", `PARTUUID=${partition.uuid}`]) {
      const { end, journal } = fakeBoot({ cmdline: `root=${root}`, disks });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(journal).toContain("mount ext4 /dev/vdb1 at /sysroot (ro)");
    }
  });

  test("the table of a disk that does not answer is not read for the names of its partitions", () => {
    const { console, endMs } = fakeBoot({
      cmdline: "root=PARTLABEL=system rd.timeout=5",
      disks: [{ name: "vda", partitions: [{ image: OTHER, name: "other" }] }],
      before(machine) {
        const { openAsyncReader, openReader } = machine;
        const silent = { size: () => null, read: () => null, close: () => undefined };
        Object.assign(machine, {
          openAsyncReader: (path: string) => (path === "/dev/vda" ? silent : openAsyncReader(path)),
          openReader(path: string) {
            if (path === "/dev/vda") throw new Error("the boot would wait here");
            return openReader(path);
          },
        });
      },
    });
    expect(console).toMatch(/\/dev\/vda \(.*, has not answered yet, 0 bytes read\)/);
    expect(console).toContain('no partition named "system" appeared within 5 s');
    expect(endMs).toBeLessThan(8000);
  });

  test("a root that is plugged in while another disk does not answer is taken at once", () => {
    const disks = [
      { name: "vda", answersAfterMs: NEVER },
      { ...ROOT, arrivesAtMs: 7000 },
    ];
    const { end, endMs } = fakeBoot({ cmdline: "root=LABEL=ROOT", disks });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(8000);
  });

  for (const what of ["size", "read"] as const) {
    test(`a root whose first answer to "${what}" is lost is asked once more`, () => {
      let readers = 0;
      const { end, endMs, console } = fakeBoot({
        cmdline: "root=LABEL=ROOT",
        disks: [ROOT],
        before(machine) {
          const { openAsyncReader } = machine;
          const openDeaf = (path: string) => ({ ...openAsyncReader(path), [what]: () => null });
          Object.assign(machine, {
            openAsyncReader: (path: string) => (readers++ === 0 ? openDeaf : openAsyncReader)(path),
          });
        },
      });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(console).not.toContain("has not answered yet");
      expect(endMs).toBeLessThan(2000);
      expect(readers).toBe(2);
    });
  }

  test("96 disks that never answer cost no more than one", () => {
    const silent = Array.from({ length: 96 }, (_, index) => ({ name: `sd${index}x`, answersAfterMs: NEVER }));
    const { end, endMs } = fakeBoot({ cmdline: "root=LABEL=ROOT", disks: [...silent, ROOT] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(4500);
  });
});

test("of many disks, some are read at the same time, and every one is seen", () => {
  const delay = { answersAfterMs: 15 };
  const others = Array.from({ length: 40 }, (_, index) => ({ name: `sd${index}x`, image: OTHER, ...delay }));
  const disks = [...others, { ...ROOT, ...delay }, { name: "vdc", image: rootImage(), ...delay }];
  const quick = fakeBoot({ cmdline: "root=LABEL=ROOT", disks: disks.map((disk) => ({ ...disk, answersAfterMs: 0 })) });
  const { end, endMs, console } = fakeBoot({ cmdline: "root=LABEL=ROOT", disks });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("2 devices match LABEL=ROOT: /dev/vdb and /dev/vdc");
  // One after the other, with three answers each, they would take 1.9 s.
  expect(endMs - quick.endMs).toBeLessThan(800);
});

test("a root on a slow disk is waited for; only a disk that is silent is named, and again when it has answered", () => {
  const boot = (answersAfterMs: number) =>
    fakeBoot({ cmdline: "root=LABEL=ROOT", disks: [{ name: "sda", image: rootImage(), answersAfterMs }] });
  const [stick, silent] = [boot(3000), boot(6000)];
  for (const { end } of [stick, silent]) expect(end).toMatchObject({ mode: "switch_root" });
  expect(silent.console).toContain(": the boot continues meanwhile");
  expect(silent.console).toMatch(/\/dev\/sda answered after \d+ s/);
  expect(stick.endMs).toBeGreaterThan(6000);
  const lines = stick.console.match(/^ {2}\.\.\. .*/gm) ?? [];
  expect(lines.filter((line) => !line.includes("waiting for LABEL=ROOT"))).toEqual([]);
});

test("two devices with the label are both seen if the second answers within a second", () => {
  const { console } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [ROOT, { name: "vdc", image: rootImage(), answersAfterMs: 100 }],
  });
  expect(console).toContain("2 devices match LABEL=ROOT: /dev/vdb and /dev/vdc");
});

describe("a boot that fails", () => {
  const silent: FakeDisk = { name: "vda", answersAfterMs: NEVER };
  const { console, endMs } = fakeBoot({ cmdline: "root=LABEL=ROOT rd.timeout=5", disks: [silent] });

  test("ends at its timeout although a device never answers", () => {
    expect(endMs).toBeLessThan(7500);
  });

  test("names the device in the report", () => {
    expect(console).toContain("seen: /dev/vda (1 MiB, has not answered yet, 0 bytes read)");
    expect(console).not.toContain("no block device at all");
  });
});

test("a disk that is unplugged before it has answered is forgotten", () => {
  const { console } = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.timeout=5",
    disks: [{ name: "vda", answersAfterMs: NEVER }],
    before(machine) {
      const { nextDeviceEvent } = machine;
      let isPulled = false;
      Object.assign(machine, {
        nextDeviceEvent(timeoutMs: number | null) {
          if (!isPulled && machine.nowMs() > 3000) machine.pullOut("vda");
          isPulled ||= machine.nowMs() > 3000;
          return nextDeviceEvent(timeoutMs);
        },
      });
    },
  });
  expect(console).toContain("seen: no block device at all");
});

describe("a disk that cannot be read", () => {
  for (const code of ["EIO", "EREMOTEIO", "ENODATA"]) {
    test(`${code}: the boot goes on, and names it`, () => {
      const { end, console } = fakeBoot({
        cmdline: "root=LABEL=ROOT",
        disks: [{ name: "vda", image: OTHER, failsWith: code }, ROOT],
      });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(console).toMatch(new RegExp(`warning   /dev/vda cannot be read: .*${code}`));
    });
  }

  test("that takes seconds for each error is not asked a second time", () => {
    const disks = [{ name: "vda", image: OTHER, failsWith: "EIO", answersAfterMs: 400 }, ROOT];
    const { endMs } = fakeBoot({ cmdline: "root=LABEL=ROOT", disks });
    expect(endMs).toBeLessThan(2000);
  });
});

test("quick devices cost no more than before: each is opened once, one after the other, and what it returns is read once", () => {
  const disks = [{ name: "vda", partitions: [{ image: OTHER }] }, ROOT, { name: "vdc", image: fakeImage("vfat") }];
  const reads = new Map<string, number[]>();
  let [open, mostOpen, orders] = [0, 0, 0];
  const { end, endMs } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks,
    before(machine) {
      const { openAsyncReader } = machine;
      Object.assign(machine, {
        openAsyncReader(path: string) {
          const places: number[] = [];
          expect(reads.has(path)).toBe(false);
          reads.set(path, places);
          open += 1;
          mostOpen = Math.max(mostOpen, open);
          const reader = openAsyncReader(path);
          return {
            ...reader,
            read(wanted: readonly ReadPlace[], timeoutMs: number) {
              orders += 1;
              places.push(...wanted.map(({ offset }) => offset));
              return reader.read(wanted, timeoutMs);
            },
            close() {
              open -= 1;
              reader.close();
            },
          };
        },
      });
    },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBe(1000); // the fake machine starts at 1 s: nothing has waited
  expect([...reads.keys()]).toEqual(["/dev/vda", "/dev/vda1", "/dev/vdb", "/dev/vdc"]);
  expect([open, mostOpen]).toEqual([0, 1]);
  for (const places of reads.values()) {
    expect(new Set(places).size).toBe(places.length);
    expect(places.length).toBeLessThan(16);
  }
  expect(orders).toBeLessThanOrEqual(3 * disks.length + 3); // a round trip to a worker costs more than what it reads
});

describe("a disk that hangs when it is mounted to search it for a file", () => {
  const { disk: flash, squashfs } = stick();
  const live = fakeImage("vfat", { label: "LIVE" }, { "/live/filesystem.squashfs": squashfs.bytes });
  const journaled = fakeImage("ext4", { label: "LIVE" }, { "/live/filesystem.squashfs": squashfs.bytes });
  const boot = (disks: readonly FakeDisk[], more = "") =>
    fakeBoot({ cmdline: `boot=live ${more}`, disks, images: [flash, squashfs] });
  const slow = (mountsAfterMs: number): FakeDisk => ({ name: "vda", image: OTHER, mountsAfterMs });

  test("holds up no other", () => {
    const { end, endMs, console } = boot([slow(NEVER), { name: "vdb", image: live }]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(3500);
    expect(console).toContain("/dev/vda has not been searched within a second: the boot continues meanwhile");
  });

  test("is searched when it has answered, though a medium was inserted meanwhile that is not the one", () => {
    const disks = [
      { name: "vda", image: live, mountsAfterMs: 6000 },
      { name: "vdb", image: OTHER, arrivesAtMs: 3000 },
    ];
    const { end, endMs, journal } = boot(disks);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeGreaterThan(6900);
    expect(endMs).toBeLessThan(9000);
    expect(journal.filter((line) => /^mount .*vda at \/run\/levain\/search/.test(line))).toHaveLength(1);
  });

  test("holds up no other if it hangs only when a file is looked for", () => {
    const disks = [
      { name: "vda", image: OTHER, looksAfterMs: NEVER },
      { name: "vdb", image: live },
    ];
    const { end, endMs, console } = boot(disks);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(3500);
    expect(console).toContain("/dev/vda has not been searched within a second: the boot continues meanwhile");
  });

  test("is searched step by step if each look takes longer than the boot waits", () => {
    const { end, endMs, journal } = boot([{ name: "vda", image: journaled, looksAfterMs: 1500 }]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeGreaterThan(3000);
    expect(endMs).toBeLessThan(12_000);
    // It is released before it is mounted as the medium.
    const lines = journal.filter((line) => line.startsWith("protect ") || line.startsWith("release "));
    expect(lines.slice(0, 2)).toEqual(["protect /dev/vda", "release /dev/vda"]);
  });

  test("can be written when it has answered after the search: it keeps the changes", () => {
    const changes = fakeImage("ext4", { label: "CHANGES", sizeBytes: 4 << 20 });
    const late = fakeImage("ext4", { label: "LATE", sizeBytes: 4 << 20 });
    const disks = [
      { name: "vda", image: changes, mountsAfterMs: 3000 },
      { name: "vdb", image: live },
      { name: "vdc", image: late, arrivesAtMs: 7000 },
    ];
    const { end, journal } = boot(disks, "rd.layer=LABEL=LATE rd.overlay=LABEL=CHANGES");
    expect(end).toMatchObject({ mode: "switch_root" });
    const lines = journal.filter((line) => /^(?:protect|release|mount) .*vda/.test(line));
    expect(lines).toEqual(["protect /dev/vda", "release /dev/vda", "mount ext4 /dev/vda at /run/levain/store"]);
  });

  test("is named in the report, and stays read-only for the kernel", () => {
    const { console, endMs, journal } = boot([slow(NEVER)], "rd.timeout=5");
    expect(console).toMatch(/\/dev\/vda ext4 "OTHER".*it has not answered yet/);
    expect(endMs).toBeLessThan(9000);
    expect(journal.filter((line) => line.startsWith("protect "))).toHaveLength(1);
    expect(journal.filter((line) => line.startsWith("release "))).toHaveLength(0);
  });
});

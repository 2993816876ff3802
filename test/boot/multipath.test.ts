import { expect, test } from "bun:test";
import { readText } from "../../src/machine/small-files.ts";
import { ataPage } from "../support/ata-page.ts";
import { ELF, type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import type { FakeEnd } from "../support/fake-processes.ts";

// Whole boots with multipath(8) in the image, on machines that reach a disk over several paths.

const MODULES = "/lib/modules/6.1.0-fake";
const NAA = "naa.5000c500a0b1c2d3";
const root = fakeImage("ext4", { label: "ROOT" }, ROOT_TREE);
const SECTORS = partitionDisk([{ image: root }]).bytes.length / 512;

const wwids = (names: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(names).map(([name, wwid], index) => [
      `/devices/pci0000:00/0000:00:0${index + 1}.0/block/${name}/device/wwid`,
      `${wwid}\n`,
    ]),
  );

/** What multipath does. */
type Does = (machine: FakeMachine) => FakeEnd | undefined;

/** Makes the device of sda and sdb, as far as a model of two halves shows it. */
function combine(machine: FakeMachine): FakeEnd {
  const half = Math.floor(SECTORS / 2);
  const numbers = ["sda", "sdb"].map((name) => readText(machine, `/sys/class/block/${name}/dev`));
  const part = (number: string | undefined, startSector: number, sectors: number) => ({
    startSector,
    sectors,
    type: "linear",
    parameters: Buffer.from(`${number} ${startSector}`),
  });
  machine.createMapping({
    name: "mpatha",
    uuid: "mpath-35000c500a0b1c2d3",
    readOnly: false,
    targets: [part(numbers[0], 0, half), part(numbers[1], half, SECTORS - half)],
  });
  return {};
}

function boot(words: string, does: Does | null, more: FakeBootOptions = {}) {
  const runs: string[] = [];
  let machine: FakeMachine | null = null;
  const result = fakeBoot({
    cmdline: `${words} rw rd.timeout=60 rdshell=0`,
    disks: ["sda", "sdb"].map((name) => ({ name, partitions: [{ image: root }] })),
    images: [root],
    files: {
      ...INITRAMFS,
      [`${MODULES}/modules.dep`]: "kernel/dm-mod.ko:\n",
      [`${MODULES}/kernel/dm-mod.ko`]: "module",
      ...(does === null ? {} : { "/sbin/multipath": { data: ELF, mode: 0o755 } }),
    },
    modules: { dm_mod: CRYPT_MODULES.dm_mod },
    sys: wwids({ sda: NAA, sdb: NAA }),
    before: (it) => {
      machine = it;
    },
    programs: {
      "/sbin/multipath": ({ argv }) => {
        runs.push(argv.slice(1).join(" "));
        return machine === null ? {} : (does?.(machine) ?? {});
      },
    },
    ...more,
  });
  return { ...result, runs };
}

const mountedFrom = ({ journal }: Pick<ReturnType<typeof boot>, "journal">) =>
  journal.flatMap((line) => /^mount \w+ (\S+) at \/sysroot/.exec(line)?.[1] ?? []);

test.each([
  ["root=LABEL=ROOT", "/dev/mapper/mpatha-part1"],
  ["root=/dev/mapper/mpatha-part1", "/dev/mapper/mpatha-part1"],
  ["root=/dev/mapper/mpatha1", "/dev/mapper/mpatha1"],
  ["root=/dev/sda1", "/dev/mapper/mpatha-part1"],
  ["root=/dev/sdb1", "/dev/mapper/mpatha-part1"],
])("multipath of the image combines the paths, and none is used apart: %s", (words, node) => {
  const result = boot(words, combine);
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(result.runs).toEqual(["-v1"]);
  expect(mountedFrom(result)).toEqual([node]);
  expect(result.console).not.toContain("warning");
});

test("rd.multipath=0 uses one path", () => {
  const result = boot("root=LABEL=ROOT rd.multipath=0", combine);
  expect(result.runs).toEqual([]);
  expect(mountedFrom(result)).toEqual(["/dev/sda1"]);
});

test("disks that multipath leaves alone are used as they are", () => {
  const result = boot("root=LABEL=ROOT", () => ({}));
  expect(mountedFrom(result)).toEqual(["/dev/sda1"]);
  expect(result.console).not.toContain("warning");
});

test("a stick is not shown to multipath", () => {
  const disks = [{ name: "sda", partitions: [{ image: root }], isRemovable: true }];
  const result = boot("root=LABEL=ROOT", combine, { disks, sys: wwids({ sda: NAA }) });
  expect(result.runs).toEqual([]);
  expect(mountedFrom(result)).toEqual(["/dev/sda1"]);
});

test("a multipath that fails costs the other paths only", () => {
  const result = boot("root=LABEL=ROOT", () => ({
    status: 1,
    output: "/etc/multipath.conf line 3, invalid keyword\n",
  }));
  expect(mountedFrom(result)).toEqual(["/dev/sda1"]);
  expect(result.console.replaceAll(/\s+/g, " ")).toContain("line 3, invalid keyword; using one path to each");
});

test("a multipath that hangs is given up after 30 s, and no path is used before", () => {
  const result = boot("root=LABEL=ROOT", () => ({ tookMs: 1e9 }));
  expect(mountedFrom(result)).toEqual(["/dev/sda1"]);
  expect(result.endMs).toBeGreaterThan(30_000);
  expect(result.endMs).toBeLessThan(35_000);
  expect(result.console.replaceAll(/\s+/g, " ")).toContain("no answer for 30 s; using one path to each");
});

test("one that hangs is not run again for the next search", () => {
  const result = boot("root=LABEL=ROOT resume=LABEL=SWAP rd.resume.timeout=1", () => ({ tookMs: 1e9 }));
  expect(mountedFrom(result)).toEqual(["/dev/sda1"]);
  expect(result.endMs).toBeLessThan(35_000);
});

test("nothing is left in udev's database of a disk that was only shown to multipath", () => {
  const { journal } = boot("root=LABEL=ROOT", combine);
  const entries = journal.flatMap((line) => /^(\w+) .*(b\d+:\d+)$/.exec(line)?.slice(1).join(" ") ?? []);
  expect(entries).toEqual(["write b8:0", "write b8:16", "remove b8:0", "remove b8:16", "write b253:0", "write b253:1"]);
});

test("SATA disks are shown by model and serial number, as there are models of which each has the same WWID", () => {
  const sys = ["sda", "sdb", "sdc"].map((name, index) => ({
    [`/devices/pci0000:00/0000:00:0${index + 1}.0/block/${name}/device/vendor`]: "ATA     \n",
    ...(name === "sdc"
      ? {}
      : { [`/devices/pci0000:00/0000:00:0${index + 1}.0/block/${name}/device/vpd_pg89`]: ataPage("Disk  1", name) }),
  }));
  const entries: string[] = [];
  const readEntries = (machine: FakeMachine): FakeEnd => {
    const names = machine.listDirectory("/run/udev/data").filter((name) => name.startsWith("b8:"));
    entries.push(...names.map((name) => readText(machine, `/run/udev/data/${name}`)));
    return {};
  };
  boot("root=LABEL=ROOT", readEntries, {
    disks: ["sda", "sdb", "sdc"].map((name) => ({ name, partitions: [{ image: root }] })),
    sys: Object.assign(wwids({ sda: NAA, sdb: NAA, sdc: NAA }), ...sys),
  });
  expect(entries).toEqual(["sda", "sdb"].map((name) => `I:1\nE:ID_WWN=${NAA}\nE:ID_SERIAL=Disk_1_${name}`));
});

test("a root of multipath is named if the image has none", () => {
  const result = boot("root=/dev/mapper/mpatha-part1 rd.timeout=2", null);
  expect(result.end).toBe("halt");
  expect(result.console.replaceAll(/\s+/g, " ")).toContain("the image has no multipath");
});

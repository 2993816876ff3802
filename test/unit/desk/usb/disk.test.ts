import { describe, expect, test } from "bun:test";
import {
  describeDisk,
  findDisk,
  listContent,
  listObjections,
  refuseUsedDisk,
} from "../../../../src/desk/usb/disk/disk.ts";
import type { FakeEntry } from "../../../support/fake-files.ts";
import { fakeImage } from "../../../support/fake-images.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { refusalOf } from "../../../support/refusal.ts";

const USB = "/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb";
const SATA = "/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda";

interface Scene {
  readonly place?: string;
  /** Files below the disk's directory in /sys. */
  readonly files?: Readonly<Record<string, FakeEntry>>;
  readonly mounts?: readonly string[];
  readonly swaps?: readonly string[];
}

/** A machine with one disk that has a partition, and a volume dm-0 that may be made of it. */
function machineWith({ place = USB, files = {}, mounts = [], swaps = [] }: Scene) {
  const name = place.slice(-3);
  const block = (directory: string, number: string, device: string): Record<string, FakeEntry> => ({
    [`/sys${directory}/dev`]: `${number}\n`,
    [`/sys${directory}/size`]: "65536\n",
    [`/sys/dev/block/${number}`]: { link: `../..${directory}` },
    [`/sys/class/block/${device}`]: { link: `../..${directory}` },
    [`/dev/${device}`]: { node: "block", number },
  });
  const tree = {
    ...block(place, "8:16", name),
    ...block(`${place}/${name}1`, "8:17", `${name}1`),
    ...block("/devices/virtual/block/dm-0", "253:0", "dm-0"),
    [`/sys${place}/${name}1/partition`]: "1\n",
    [`/sys${place}/removable`]: "0\n",
    [`/sys${place}/device/vendor`]: "Mill    \n",
    [`/sys${place}/device/model`]: "Rye \u001b[2J\n",
    "/sys/devices/virtual/block/dm-0/dm/name": "vault\n",
    ...Object.fromEntries(Object.entries(files).map(([path, entry]) => [`/sys${place}/${path}`, entry])),
  };
  const fake = fakeMachine({ files: tree, mounted: {} });
  const proc: Readonly<Record<string, string>> = {
    "/proc/self/mountinfo": mounts.join("\n"),
    "/proc/swaps": ["Filename", ...swaps].join("\n"),
  };
  const readFile = (path: string) => {
    const text = proc[path];
    return text === undefined ? fake.readFile(path) : new TextEncoder().encode(text);
  };
  return { ...fake, readFile };
}

function objectionsOf(scene: Scene) {
  const machine = machineWith(scene);
  const disk = findDisk(machine, `/dev/${(scene.place ?? USB).slice(-3)}`);
  return disk === null ? null : listObjections(machine, disk);
}

describe("a disk is not overwritten if it", () => {
  test.each<readonly [string, Scene, readonly string[]]>([
    ["is a stick that nothing uses: it is", {}, []],
    ["is fixed", { place: SATA }, ["it is not a removable disk"]],
    [
      "is mounted",
      { mounts: ["1 0 8:17 / /media/x\\040\u0007 rw - ext4 /dev/sdb1 rw"] },
      ["/dev/sdb1 is mounted at /media/x \\x07"],
    ],
    [
      "has the filesystem of a btrfs",
      { mounts: ["1 0 0:33 / /mnt rw - btrfs /dev/sdb1 rw"] },
      ["/dev/sdb1 is mounted at /mnt"],
    ],
    [
      "holds the running system",
      { mounts: ["1 0 8:17 / / rw - ext4 /dev/root rw"] },
      ["/dev/sdb1 holds the running system"],
    ],
    [
      "is mounted without a partition",
      { mounts: ["1 0 8:16 / /a rw - vfat /dev/sdb rw"] },
      ["/dev/sdb is mounted at /a"],
    ],
    ["is swap", { swaps: ["/dev/sdb1 partition 1 0 -2"] }, ["/dev/sdb1 is used as swap"]],
    ["is part of a volume", { files: { "sdb1/holders/dm-0": "" } }, ["/dev/sdb1 is part of /dev/mapper/vault"]],
    [
      "is what the running system's volume is made of",
      { files: { "holders/dm-0": "" }, mounts: ["1 0 253:0 / / rw - ext4 /dev/mapper/vault rw"] },
      ["/dev/sdb is part of /dev/mapper/vault", "/dev/mapper/vault holds the running system"],
    ],
  ])("%s", (_, scene, expected) => expect(objectionsOf(scene)).toEqual(expected));

  test.each([
    ["is a partition", "/dev/sdb1", {}, "it is a partition\nhint: name the whole disk: --output /dev/sdb"],
    ["is write-protected", "/dev/sdb", { files: { ro: "1\n" } }, "it is write-protected"],
    ["has no medium", "/dev/sdb", { files: { size: "0\n" } }, "there is no medium in it"],
    [
      "has large sectors",
      "/dev/sdb",
      { files: { "queue/logical_block_size": "4096\n" } },
      "its sectors have 4096 bytes",
    ],
  ] as const)("%s", (_, path, scene, expected) => {
    expect(refusalOf(() => findDisk(machineWith(scene), path)).join("\n")).toContain(expected);
  });

  test("is not the one that --force names", () => {
    const machine = machineWith({ place: SATA, mounts: ["1 0 8:17 / / rw - ext4 /dev/sda1 rw"] });
    const disk = findDisk(machine, "/dev/sda");
    if (disk === null) throw new Error("no disk");
    const refused = refusalOf(() => refuseUsedDisk(machine, disk, null)).join("\n");
    expect(refused).toMatch(/^not overwriting \/dev\/sda: it is not a removable disk\nseen: /);
    expect(refused).toContain("/dev/sda1 holds the running system");
    expect(refusalOf(() => refuseUsedDisk(machine, disk, "/dev/sdb"))[0]).toContain(
      "--force names /dev/sdb, but --output /dev/sda",
    );
    expect(() => refuseUsedDisk(machine, disk, "/dev/sda")).not.toThrow();
  });
});

test("a link of udev stands for its disk: the question names both, and a link to a partition is refused", () => {
  const machine = machineWith({});
  const stat = (path: string) =>
    machine.stat(path.replace("/dev/disk/by-id/usb-Mill", "/dev/sdb").replace("-part", ""));
  const linked = { ...machine, stat };
  const disk = findDisk(linked, "/dev/disk/by-id/usb-Mill");
  if (disk === null) throw new Error("no disk");
  expect(describeDisk(linked, disk)).toStartWith("/dev/disk/by-id/usb-Mill (/dev/sdb), 32 MiB, Mill Rye");
  const refused = refusalOf(() => findDisk(linked, "/dev/disk/by-id/usb-Mill-part1"));
  expect(refused.join("\n")).toContain("it is a partition\nhint: name the whole disk: --output /dev/sdb");
});

test("what is no block device is not a disk", () => {
  const machine = machineWith({});
  expect(findDisk(machine, "/dev/sdz")).toBeNull();
  expect(findDisk(machine, "/sys/class/block")).toBeNull();
});

test("what will be lost is printed without control characters", () => {
  const fake = fakeMachine({
    mounted: { "/sys": "sysfs", "/dev": "devtmpfs" },
    disks: [{ name: "sdb", partitions: [{ image: fakeImage("ext4", { label: "a\u001b[2J" }) }] }],
  });
  const disk = { node: "/dev/sdb", name: "sdb", number: "8:16", identity: "", bytes: 2 ** 20 };
  const lines = listContent(fake, { ...disk, partitions: ["sdb1"] });
  expect(lines.join("\n")).toMatch(/^\/dev\/sdb1 ext4 "a\\x1b\[2J", /m);
});

import { deepEqual, equal, ok } from "node:assert/strict";
import type { DeviceEvent, Machine } from "../../src/machine/machine.ts";
import { readOne } from "../support/read-one.ts";
import { type ContractCase, FIXTURES, HELLO, loadModule, makeMedium, PARTITIONS, readText, refuses } from "./case.ts";

/** Disks that come and go, and the uevents that tell of them. */
export const DISK_CASES: readonly ContractCase[] = [
  {
    name: "waiting for a device takes the time given and no more, and ends with null",
    check(machine) {
      machine.listenForDevices();
      machine.listenForDevices();
      for (let startMs = machine.nowMs(); ; startMs = machine.nowMs()) {
        if (machine.nextDeviceEvent(60) === null) {
          const waitedMs = machine.nowMs() - startMs;
          ok(waitedMs >= 60 && waitedMs < 1000, `${waitedMs} ms`);
          break;
        }
      }
      equal(machine.nextDeviceEvent(0), null);
    },
  },
  {
    name: "a disk that a module finds is told by an uevent, and is in sysfs and in /dev by then",
    check(machine) {
      machine.listenForDevices();
      loadModule(machine, "virtio_blk");
      const event = waitForDisk(machine, FIXTURES.disk);
      const directory = `/sys/class/block/${FIXTURES.disk}`;
      equal(machine.readLink(directory), `../..${event.devpath}`);
      equal(event.properties["DEVTYPE"], "disk");
      equal(`/sys/class/block/${event.properties["DEVNAME"]}`, directory);
      const number = `${event.properties["MAJOR"]}:${event.properties["MINOR"]}`;
      equal(readText(machine, `${directory}/dev`), `${number}\n`);
      for (const line of [`DEVNAME=${FIXTURES.disk}`, "DEVTYPE=disk", `MAJOR=${event.properties["MAJOR"]}`]) {
        ok(readText(machine, `${directory}/uevent`).split("\n").includes(line), line);
      }
      const node = machine.stat(`/dev/${FIXTURES.disk}`);
      equal(`${node?.kind} ${node?.represents}`, `block ${number}`);
      const reader = machine.openReader(`/dev/${FIXTURES.disk}`);
      equal(reader.size, Number(readText(machine, `${directory}/size`)) * 512);
      equal(Buffer.from(reader.read(1024 + 0x38, 2)).toString("hex"), "53ef");
      reader.close();
      equal(readText(machine, `${directory}/queue/logical_block_size`), "512\n");
      waitForDisk(machine, FIXTURES.protectedDisk);
      equal(readText(machine, `/sys/class/block/${FIXTURES.protectedDisk}/ro`), "1\n");
    },
  },
  {
    name: "a disk is mounted read-only or writable, but not both at once, and a write-protected one is EACCES",
    check(machine, directory) {
      for (const name of ["a", "b", "c"]) machine.makeDirectory(`${directory}/${name}`);
      const disk = { source: `/dev/${FIXTURES.disk}`, type: "ext4", flags: ["ro"], options: "" } as const;
      machine.mount({ ...disk, target: `${directory}/a` });
      equal(readText(machine, `${directory}/a/hello`), HELLO);
      refuses("EROFS", () => machine.writeFile(`${directory}/a/hello`, ""));
      equal(machine.stat(`${directory}/a`)?.device, machine.stat(disk.source)?.represents);
      machine.mount({ ...disk, target: `${directory}/b` });
      refuses("EBUSY", () => machine.mount({ ...disk, target: `${directory}/c`, flags: [] }));
      refuses("EBUSY", () => machine.mount({ ...disk, target: `${directory}/c`, type: "squashfs" }));
      refuses("EBUSY", () => machine.mount({ ...disk, target: `${directory}/b` }));
      machine.unmount(`${directory}/a`);
      machine.unmount(`${directory}/b`);
      machine.mount({ ...disk, target: `${directory}/c`, flags: [] });
      machine.writeFile(`${directory}/c/new`, "kept");
      machine.unmount(`${directory}/c`);
      machine.mount({ ...disk, target: `${directory}/c` });
      equal(readText(machine, `${directory}/c/new`), "kept");
      machine.unmount(`${directory}/c`);
      const locked = { ...disk, source: `/dev/${FIXTURES.protectedDisk}`, target: `${directory}/c` };
      refuses("EACCES", () => machine.mount({ ...locked, flags: [] }));
      machine.mount(locked);
      refuses("EACCES", () => machine.mount({ ...locked, flags: ["remount"] }));
      equal(readText(machine, `${directory}/c/hello`), HELLO);
    },
  },
  {
    name: "a reader in another process returns what a reader returns, and throws what opening is refused with",
    check(machine, directory) {
      const path = `/dev/${FIXTURES.disk}`;
      const [plain, other] = [machine.openReader(path), machine.openAsyncReader(path)];
      equal(other.size(5000), plain.size);
      for (const [offset, length] of [
        [0, 33 * 1024],
        [1024 + 0x38, 2],
        [plain.size - 10, 20],
        [plain.size, 1],
        [0, 300_000],
      ] as const) {
        deepEqual(readOne(other, offset, length, 5000), new Uint8Array(plain.read(offset, length)));
      }
      plain.close();
      other.close();
      const missing = machine.openAsyncReader(`${directory}/none`);
      refuses("ENOENT", () => missing.size(5000));
      refuses("ENOENT", () => readOne(missing, 0, 1, 5000));
      missing.close();
    },
  },
  {
    name: "many readers in other processes are open at the same time, and what is closed stays readable for the others",
    check(machine) {
      const readers = Array.from({ length: 6 }, () => machine.openAsyncReader(`/dev/${FIXTURES.disk}`));
      for (const reader of readers.toReversed()) {
        equal(Buffer.from(readOne(reader, 1024 + 0x38, 2, 5000) ?? []).toString("hex"), "53ef");
        reader.close();
      }
    },
  },
  {
    name: "a partition is told after its disk, and lies below it",
    check(machine) {
      const disk = FIXTURES.partitionedDisk;
      const { devpath } = waitForDisk(machine, disk);
      for (const [index, { image }] of PARTITIONS.entries()) {
        const name = `${disk}${index + 1}`;
        const event = waitForDisk(machine, name);
        equal(event.devpath, `${devpath}/${name}`);
        deepEqual([event.properties["DEVTYPE"], event.properties["PARTN"]], ["partition", String(index + 1)]);
        equal(machine.readLink(`/sys/class/block/${name}`), `../..${event.devpath}`);
        equal(readText(machine, `/sys/class/block/${name}/partition`), `${index + 1}\n`);
        const reader = machine.openReader(`/dev/${name}`);
        deepEqual(Buffer.from(reader.read(0, reader.size)), Buffer.from(image.bytes));
        reader.close();
      }
    },
  },
  {
    name: "uevents are numbered in their order, and /sys says the number of the newest",
    check(machine, directory) {
      while (machine.nextDeviceEvent(0) !== null);
      for (let round = 0; round < 3; round++)
        machine.detachLoop(machine.attachLoop({ file: makeMedium(machine, `${directory}/${round}`), readOnly: true }));
      const numbers: number[] = [];
      for (let event = machine.nextDeviceEvent(1000); event !== null; event = machine.nextDeviceEvent(100))
        numbers.push(Number(event.properties["SEQNUM"]));
      deepEqual(
        numbers,
        [...new Set(numbers)].sort((a, b) => a - b),
      );
      ok(numbers.length > 1);
      equal(Number(readText(machine, "/sys/kernel/uevent_seqnum")), numbers.at(-1));
    },
  },
  {
    name: "that uevents were lost is told before those that were not, and what comes later is heard again",
    check(machine, _directory, hands) {
      while (machine.nextDeviceEvent(0) !== null);
      hands.overflowEvents();
      const { action, devpath, subsystem, properties } = machine.nextDeviceEvent(0) ?? {};
      deepEqual([action, devpath, subsystem, properties], ["overflow", "", "", {}]);
      while (machine.nextDeviceEvent(0) !== null);
      hands.pullOut(FIXTURES.protectedDisk);
      waitForBlock(machine, "remove", /\/vdb$/);
    },
  },
  {
    name: "a disk that is pulled out is told with its partitions, and is gone from sysfs and /dev by then",
    check(machine, directory, hands) {
      const disk = FIXTURES.partitionedDisk;
      const [major, minor] = machine.stat(`/dev/${disk}`)?.represents?.split(":").map(Number) ?? [];
      machine.makeNode(`${directory}/kept`, "block", major ?? 0, minor ?? 0, 0o600);
      const names = [`${disk}2`, `${disk}1`, disk];
      hands.pullOut(disk);
      const told = new Set(
        names.map(() =>
          waitForBlock(machine, "remove", /\/vdc\d?$/)
            .devpath.split("/")
            .at(-1),
        ),
      );
      deepEqual([...told].sort(), names.toSorted());
      for (const name of names) {
        equal(machine.lstat(`/sys/class/block/${name}`), null);
        equal(machine.stat(`/dev/${name}`), null);
      }
      refuses("ENXIO", () => machine.openReader(`${directory}/kept`));
    },
  },
];

function waitForDisk(machine: Machine, name: string): DeviceEvent {
  return waitForBlock(machine, "add", new RegExp(`/${name}$`));
}

function waitForBlock(machine: Machine, action: string, devpath: RegExp): DeviceEvent {
  for (;;) {
    const event = machine.nextDeviceEvent(5000);
    if (event === null) throw new Error(`nobody tells of ${action} ${devpath}`);
    if (event.action === action && event.subsystem === "block" && devpath.test(event.devpath)) return event;
  }
}

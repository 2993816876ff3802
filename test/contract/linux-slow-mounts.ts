import { deepEqual, equal, ok } from "node:assert/strict";
import * as fs from "node:fs";
import { DM_DEV_SUSPEND } from "../../src/machine/abi-crypt.ts";
import { askDeviceMapper, openControl } from "../../src/machine/linux/storage/dm-ioctl.ts";
import type { Machine, MountRequest } from "../../src/machine/machine.ts";
import { type ContractCase, FIXTURES, HELLO, readText, refuses } from "./case.ts";
import { expectNoMapping, mappingOf, tableLine } from "./mappings.ts";

const NODE = `/dev/${FIXTURES.disk}`;
const HUNG = "/dev/mapper/hung";
/** linux/dm-ioctl.h: suspend instead of resume, and without waiting for the filesystem. */
const SUSPEND = (1 << 1) | (1 << 10);

/** How mounts deal with a disk that does not answer: a suspended mapping is one. */
export const LINUX_SLOW_MOUNT_CASES: readonly ContractCase[] = [
  {
    name: "a mount apart is waited for as long as was said, holds up no other, and is seen by nobody else",
    check(machine, directory) {
      const disk = addHungDisk(machine);
      const apart = machine.mountApart();
      const startMs = machine.nowMs();
      refuses("ETIMEDOUT", () => apart.mount(requestOf(HUNG, directory), 200));
      ok(machine.nowMs() - startMs < 3000);
      refuses("ETIMEDOUT", () => apart.mount(requestOf(HUNG, directory), 0));
      const other = machine.mountApart();
      const seen = other.mount({ ...requestOf("tmpfs", directory), type: "tmpfs" }, 10_000);
      deepEqual(machine.listDirectory(seen), []);
      other.close();
      disk.resume();
      const found = apart.mount(requestOf(HUNG, directory), 20_000);
      equal(readText(machine, `${found}/hello`), HELLO);
      ok(!readText(machine, "/proc/self/mountinfo").includes("hung"));
      apart.close();
      disk.remove();
    },
  },
  {
    name: "a refused mount apart can be tried again, and one that was left ends when the disk answers",
    check(machine, directory) {
      const apart = machine.mountApart();
      refuses("EINVAL", () => apart.mount({ ...requestOf(NODE, directory), options: "none" }, 10_000));
      equal(readText(machine, `${apart.mount(requestOf(NODE, directory), 10_000)}/hello`), HELLO);
      apart.close();
      const disk = addHungDisk(machine);
      const left = machine.mountApart();
      refuses("ETIMEDOUT", () => left.mount(requestOf(HUNG, directory), 100));
      left.close();
      disk.resume();
      disk.remove();
    },
  },
  {
    name: "an unmount that the disk holds up ends after 10 s, and the kernel goes on with it",
    check(machine, directory) {
      const disk = addHungDisk(machine, false);
      machine.mount({ ...requestOf(HUNG, directory), flags: [] });
      machine.writeFile(`${directory}/new`, "new");
      disk.suspend();
      const startMs = machine.nowMs();
      refuses("ETIMEDOUT", () => machine.unmount(directory));
      ok(machine.nowMs() - startMs < 15_000);
      disk.resume();
      disk.remove();
    },
  },
];

const requestOf = (source: string, target: string): MountRequest => ({
  ...{ source, target, type: "ext4", options: "" },
  flags: ["ro"],
});

function addHungDisk(machine: Machine, isSuspended = true) {
  const number = machine.stat(NODE)?.represents ?? "";
  const sectors = Number(readText(machine, `/sys/class/block/${FIXTURES.disk}/size`));
  machine.createMapping(mappingOf("hung", tableLine("linear", sectors, `${number} 0`)));
  const change = (flags: number) => {
    const fd = openControl(machine);
    askDeviceMapper(fd, DM_DEV_SUSPEND, "hung", { name: "hung", flags });
    fs.closeSync(fd);
  };
  if (isSuspended) change(SUSPEND);
  return {
    suspend: () => change(SUSPEND),
    resume: () => change(0),
    /** What was under way may end a little later. */
    remove() {
      for (let turn = 0; turn < 100 && machine.listMappings().length > 0; turn++) {
        try {
          machine.removeMapping("hung");
        } catch {
          machine.sleepMs(100);
        }
      }
      expectNoMapping(machine);
    },
  };
}

import { deepEqual, equal, ok } from "node:assert/strict";
import type { MountRequest } from "../../src/machine/mounts.ts";
import { type ContractCase, FIXTURES, HELLO, readText, refuses } from "./case.ts";
import { addHungDisk, HUNG } from "./hung-disk.ts";

const NODE = `/dev/${FIXTURES.disk}`;

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
      let hasEnded = false;
      left.close(() => {
        hasEnded = true;
      });
      equal(hasEnded, false);
      disk.resume();
      for (let turn = 0; turn < 200 && !hasEnded; turn++) machine.nextDeviceEvent(100);
      equal(hasEnded, true);
      disk.remove();
    },
  },
  {
    name: "a look at a file of a mount apart is waited for as long as was said, and then holds up no other",
    check(machine, directory) {
      const disk = addHungDisk(machine, false);
      const apart = machine.mountApart();
      const found = apart.mount(requestOf(HUNG, directory), 10_000);
      apart.touch(`${found}/none`, "status", 10_000);
      equal(machine.lstat(`${found}/none`), null);
      apart.touch(found, "names", 10_000);
      ok(machine.listDirectory(found).includes("hello"));
      disk.suspend();
      const startMs = machine.nowMs();
      refuses("ETIMEDOUT", () => apart.touch(`${found}/hello`, "content", 200));
      refuses("ETIMEDOUT", () => apart.touch(`${found}/hello`, "target", 0));
      ok(machine.nowMs() - startMs < 3000);
      disk.resume();
      apart.touch(`${found}/hello`, "content", 20_000);
      equal(readText(machine, `${found}/hello`), HELLO);
      disk.suspend();
      apart.touch(`${found}/hello`, "content", 0);
      equal(readText(machine, `${found}/hello`), HELLO);
      disk.resume();
      apart.close();
      disk.remove();
    },
  },
  {
    name: "a mount that the disk holds up is waited for aloud, and made when it answers",
    check(machine, directory) {
      const disk = addHungDisk(machine);
      const heardMs: number[] = [];
      const onWait = (waitedMs: number) => {
        heardMs.push(waitedMs);
        if (heardMs.length === 3) disk.resume();
        return 100;
      };
      machine.mount({ ...requestOf(HUNG, directory), onWait });
      equal(readText(machine, `${directory}/hello`), HELLO);
      ok(heardMs.length >= 3 && (heardMs[2] ?? 0) >= 200, `${heardMs}`);
      machine.unmount(directory);
      refuses("EINVAL", () => machine.mount({ ...requestOf(HUNG, directory), options: "none", onWait }));
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

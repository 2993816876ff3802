import { expect, test } from "bun:test";
import type { ArrayRequest, PendingArray } from "../../src/machine/storage/arrays.ts";
import { fakeMember } from "../support/fake-arrays.ts";
import { fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const root = rootImage();
const FILES = {
  ...INITRAMFS,
  [`${MODULES}/modules.dep`]: "kernel/md-mod.ko:\nkernel/raid1.ko: kernel/md-mod.ko\n",
  ...Object.fromEntries(["md-mod", "raid1"].map((name) => [`${MODULES}/kernel/${name}.ko`, "module"])),
};
const PAIR = [0, 1].map((place): FakeDisk => ({ name: `vd${"ab"[place]}`, content: fakeMember(root, { place }) }));

const boot = (disks: readonly FakeDisk[], before: (machine: FakeMachine) => void) =>
  fakeBoot({
    cmdline: "root=LABEL=ROOT",
    images: [root],
    files: FILES,
    modules: { md_mod: {}, raid1: { needs: ["md_mod"] } },
    disks,
    before,
  });

/** Calls `act` once, when the machine is asked to start an array. */
function atStart(machine: FakeMachine, act: (when: "before" | "after") => void): void {
  const { startArray } = machine;
  let isFirst = true;
  Object.assign(machine, {
    startArray(request: ArrayRequest): PendingArray {
      const isNow = isFirst;
      isFirst = false;
      if (isNow) act("before");
      const pending = startArray(request);
      return {
        ...pending,
        isStarted(timeoutMs) {
          const isStarted = pending.isStarted(timeoutMs);
          if (isNow && isStarted) act("after");
          return isStarted;
        },
      };
    },
  });
}

test("a member that is lost when the array is started: it is started without it", () => {
  const { end, journal, console } = boot(PAIR, (machine) => {
    atStart(machine, (when) => {
      if (when === "before") machine.pullOut("vdb");
    });
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal).toContain("mount ext4 /dev/md0 at /sysroot (ro)");
  expect(console).toContain("1 of 2 members is present: member 1 is missing");
});

test("a member that is lost between the start of the array and the mount stops nothing", () => {
  const { end, journal, endMs } = boot(PAIR, (machine) => {
    atStart(machine, (when) => {
      if (when === "after") machine.pullOut("vdb");
    });
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal).toContain("mount ext4 /dev/md0 at /sysroot (ro)");
  expect(endMs).toBeLessThan(3000);
});

test("the last member that is lost while another is waited for: the array is missing as a whole", () => {
  const [first] = PAIR;
  const { end, console } = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.timeout=9 rdshell=0",
    images: [root],
    files: FILES,
    modules: { md_mod: {}, raid1: { needs: ["md_mod"] } },
    disks: first === undefined ? [] : [first],
    before(machine) {
      const { nextDeviceEvent } = machine;
      let isPulled = false;
      Object.assign(machine, {
        nextDeviceEvent(timeoutMs: number) {
          if (!isPulled && machine.nowMs() > 2000) {
            isPulled = true;
            machine.pullOut("vda");
          }
          return nextDeviceEvent(timeoutMs);
        },
      });
    },
  });
  expect(end).toBe("halt");
  expect(console).toContain("could not find the root device");
});

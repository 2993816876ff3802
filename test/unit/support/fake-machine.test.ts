import { describe, expect, test } from "bun:test";
import type { Handover } from "../../../src/machine/handover.ts";
import { SyscallError } from "../../../src/problems/errors.ts";
import { fakeImage } from "../../support/fake-images.ts";
import { fakeMachine } from "../../support/fake-machine.ts";
import { Ended } from "../../support/fake-processes.ts";

// What the fake does for a test beyond the machine's contract, which test/contract/ holds.

const TMPFS = { source: "tmpfs", target: "/run", type: "tmpfs", flags: [], options: "" } as const;
const HANDOVER: Handover = {
  mode: "stay",
  root: "/",
  putOld: null,
  init: "/init",
  isSystemd: false,
  argv: ["/init"],
  environment: [],
};

function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

describe("time", () => {
  test("stands still until somebody waits, and then a device arrives when it should", () => {
    const machine = fakeMachine({ disks: [{ name: "sda", image: fakeImage("ext4"), arrivesAtMs: 4000 }] });
    const startMs = machine.nowMs();
    expect([machine.nowMs(), machine.stat("/dev/sda")]).toEqual([startMs, null]);
    expect(machine.nextDeviceEvent(500)).toBeNull();
    expect(machine.nowMs()).toBe(startMs + 500);
    expect(machine.nextDeviceEvent(10_000)?.devpath).toEndWith("/block/sda");
    expect([machine.nowMs(), machine.stat("/dev/sda")?.kind]).toEqual([4000, "block"]);
  });

  test("a device that arrives while somebody sleeps is told afterwards, but only to who listened", () => {
    const disks = [{ name: "sda", arrivesAtMs: 2000 }];
    const deaf = fakeMachine({ disks });
    deaf.sleepMs(5000);
    expect(deaf.nextDeviceEvent(0)).toBeNull();
    const listening = fakeMachine({ disks });
    listening.listenForDevices();
    listening.sleepMs(5000);
    expect(listening.nextDeviceEvent(0)?.action).toBe("add");
    expect(listening.nextDeviceEvent(0)).toBeNull();
  });

  test("waiting for ever for nothing is an error of the test, not a hang", () => {
    expect(() => fakeMachine().nextDeviceEvent(null)).toThrow("waits for ever");
  });

  test("a module's disk arrives so long after it was loaded, and of two the earlier first", () => {
    const late = {
      disks: [
        { name: "sdb", arrivesAtMs: 900 },
        { name: "sda", arrivesAtMs: 300 },
      ],
    };
    const machine = fakeMachine({ files: { "/usb.ko": "\x7fELF" }, modules: { usb: late } });
    machine.sleepMs(1000);
    machine.listenForDevices();
    machine.startModule("/usb.ko", "");
    const loadedMs = machine.nowMs();
    const arrivals = [machine.nextDeviceEvent(null), machine.nextDeviceEvent(null)].map(
      (event) => event?.properties["DEVNAME"],
    );
    expect([arrivals, machine.nowMs() - loadedMs]).toEqual([["sda", "sdb"], 900]);
  });
});

describe("what a test does to it", () => {
  test("a refusal meets the call that it is for, as often as asked, and the kernel's words come with it", () => {
    const machine = fakeMachine({ files: { "/run": { directory: true } } });
    machine.refuse("mount", "at /run", "EIO", { times: 1, kernelLog: ["I/O error, dev sda"] });
    const mark = machine.kernelLogMark();
    const error = errorOf(() => machine.mount(TMPFS));
    expect(error).toBeInstanceOf(SyscallError);
    expect([(error as SyscallError).call, (error as SyscallError).code]).toEqual(["mount", "EIO"]);
    expect(machine.kernelLogSince(mark)).toEqual(["I/O error, dev sda"]);
    machine.mount(TMPFS);
    expect(machine.journal).toEqual(["mount tmpfs tmpfs at /run → EIO", "mount tmpfs tmpfs at /run"]);
  });

  test("a refusal by a pattern meets calls that change nothing, too", () => {
    const machine = fakeMachine({ files: { "/a": "", "/b": "" } });
    machine.refuse("readFile", /b$/, "EIO");
    machine.readFile("/a");
    expect(errorOf(() => machine.readFile("/b"))).toMatchObject({ code: "EIO" });
  });

  test("lost uevents are told of in place of those that were lost", () => {
    const machine = fakeMachine();
    machine.listenForDevices();
    machine.plugIn({ name: "sda" });
    machine.overflowEvents();
    expect(machine.nextDeviceEvent(0)?.action).toBe("overflow");
    expect([machine.nextDeviceEvent(0), machine.stat("/dev/sda")?.kind]).toEqual([null, "block"]);
  });

  test("a program of which the test says nothing is an error, and so is a write to a disk", () => {
    const machine = fakeMachine({ files: { "/bin/fsck": { data: "", mode: 0o755 } }, disks: [{ name: "sda" }] });
    expect(() => machine.run(["/bin/fsck"])).toThrow("says nothing of the program /bin/fsck");
    expect(() => machine.writeFile("/dev/sda", "")).toThrow("nobody writes to a disk");
  });
});

describe("its end", () => {
  test("is thrown, and by every call after it", () => {
    const machine = fakeMachine();
    const ended = errorOf(() => machine.handOver(HANDOVER));
    expect(ended).toBeInstanceOf(Ended);
    expect((ended as Ended).handover).toEqual(HANDOVER);
    expect(errorOf(() => machine.nowMs())).toBe(ended);
  });

  test("may be the power's", () => {
    expect(errorOf(() => fakeMachine().power("reboot"))).toMatchObject({ power: "reboot", handover: null });
  });

  test("is refused to a machine that is not the boot", () => {
    const machine = fakeMachine({ isBoot: false });
    expect(errorOf(() => machine.handOver(HANDOVER))).toMatchObject({ code: "EBADF" });
  });
});

describe("its journal", () => {
  test("has a line for what changes something, and none for what does not", () => {
    const machine = fakeMachine({ files: { "/etc/name": "" } });
    machine.makeDirectory("/etc");
    machine.makeDirectory("/run/a");
    machine.readFile("/etc/name");
    machine.writeFile("/run/a/b", "");
    machine.makeSymlink("b", "/run/a/c");
    machine.moveMount("/proc", "/run/a");
    machine.unmount("/run/a", true);
    machine.removeFile("/run/a/c");
    expect(machine.journal).toEqual([
      "mkdir /run/a",
      "write /run/a/b",
      "link /run/a/c to b",
      "move /proc to /run/a",
      "unmount /run/a (lazy)",
      "remove /run/a/c",
    ]);
  });
});

test("an initrd is a root that is a real mount", () => {
  const machine = fakeMachine({ rootType: "ext2" });
  expect(Buffer.from(machine.readFile("/proc/self/mountinfo")).toString()).toStartWith(
    "1 1 0:1 / / rw - ext2 /dev/root rw\n",
  );
  expect(machine.statFilesystem("/").magic).toBe(0xef53);
});

import { describe, expect, test } from "bun:test";
import { keepDeviceNodes } from "../../../src/boot/device-nodes.ts";
import { type FakeMachineOptions, fakeMachine } from "../../support/fake-machine.ts";
import { listenToVoice } from "../desk/heard-voice.ts";

/** A tmpfs as /dev, and the devices that the kernel lists in /sys/dev. */
function machineWithout(options: FakeMachineOptions = {}, dev = "tmpfs") {
  const machine = fakeMachine({
    mounted: { "/proc": "proc", "/sys": "sysfs", "/dev": dev },
    sys: {
      "/devices/virtual/mem/null/uevent": "MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=0666\n",
      "/dev/char/1:3": { link: "../../devices/virtual/mem/null" },
      "/devices/virtual/misc/device-mapper/uevent": "MAJOR=10\nMINOR=236\nDEVNAME=mapper/control\n",
      "/devices/virtual/misc/device-mapper/subsystem": { link: "../../../../class/misc" },
      "/dev/char/10:236": { link: "../../devices/virtual/misc/device-mapper" },
      "/devices/evil/uevent": "MAJOR=1\nMINOR=1\nDEVNAME=../../etc/passwd\n",
      "/dev/char/1:1": { link: "../../devices/evil" },
      "/dev/block/8:0": { link: "../../devices/pci0000:00/0000:00:01.0/block/sda" },
    },
    disks: [{ name: "sda" }],
    ...options,
  });
  const voice = listenToVoice();
  return { machine, kept: keepDeviceNodes(machine, voice), heard: voice.warnings };
}

const nodeOf = (machine: { stat(path: string): unknown }, path: string) => machine.stat(path);

describe("keepDeviceNodes", () => {
  test("nothing changes if the kernel keeps /dev", () => {
    const { machine, kept } = machineWithout({}, "devtmpfs");
    const before = machine.journal.length;
    kept.listenForDevices();
    machine.plugIn({ name: "sdb" });
    expect(kept.nextDeviceEvent(0)?.properties["DEVNAME"]).toBe("sdb");
    expect(machine.journal.slice(before)).toEqual([]);
  });

  test("all devices have nodes, also in subdirectories, and none outside /dev", () => {
    const { machine, kept } = machineWithout();
    kept.listenForDevices();
    expect(nodeOf(machine, "/dev/null")).toMatchObject({ kind: "character", represents: "1:3", mode: 0o666 });
    expect(nodeOf(machine, "/dev/mapper/control")).toMatchObject({ represents: "10:236", mode: 0o660 });
    expect(nodeOf(machine, "/dev/sda")).toMatchObject({ kind: "block", represents: "8:0" });
    expect(machine.journal.join("\n")).not.toContain("passwd");
  });

  test("a node exists before its uevent and goes with it", () => {
    const { machine, kept } = machineWithout();
    kept.listenForDevices();
    machine.plugIn({ name: "sdb" });
    expect(nodeOf(machine, "/dev/sdb")).toBeNull();
    expect(kept.nextDeviceEvent(0)?.action).toBe("add");
    expect(nodeOf(machine, "/dev/sdb")).toMatchObject({ kind: "block", represents: "8:16" });
    machine.pullOut("sdb");
    expect(kept.nextDeviceEvent(0)?.action).toBe("remove");
    expect(nodeOf(machine, "/dev/sdb")).toBeNull();
  });

  test("the node of a driver exists once the driver is loaded, and its uevent is still delivered", () => {
    const modules = { loop: { disks: [{ name: "loop7" }] } };
    const { machine, kept } = machineWithout({ modules, files: { "/loop.ko": "module" } });
    kept.listenForDevices();
    kept.startModule("/loop.ko", "").isDone(0);
    expect(nodeOf(machine, "/dev/loop7")).toMatchObject({ kind: "block" });
    expect(kept.nextDeviceEvent(0)?.properties["DEVNAME"]).toBe("loop7");
    expect(kept.nextDeviceEvent(0)).toBeNull();
  });

  test("lost uevents are made up for", () => {
    const { machine, kept } = machineWithout();
    kept.listenForDevices();
    machine.removeFile("/dev/mapper/control");
    machine.overflowEvents();
    expect(kept.nextDeviceEvent(0)?.action).toBe("overflow");
    expect(nodeOf(machine, "/dev/mapper/control")).not.toBeNull();
  });

  test("/etc/mdev.conf is followed, with the image's users; what levain does not do is reported", () => {
    const files = {
      "/etc/group": "root:x:0:\ndisk:x:6:\n",
      "/etc/mdev.conf": "sd.* root:disk 0640 >disks/\nnull 0:0 600\n.* 0:0 600 @/bin/hook\n",
    };
    const { machine, kept, heard } = machineWithout({ files });
    kept.listenForDevices();
    expect(nodeOf(machine, "/dev/disks/sda")).toMatchObject({ kind: "block", mode: 0o640 });
    expect(machine.readLink("/dev/sda")).toBe("/dev/disks/sda");
    expect(machine.journal).toContain("owner of /dev/disks/sda 0:6");
    expect(nodeOf(machine, "/dev/null")).toMatchObject({ mode: 0o600 });
    expect(heard.join("\n")).toContain("/etc/mdev.conf: commands are not run (line 3)");
    machine.pullOut("sda");
    kept.nextDeviceEvent(0);
    expect([machine.lstat("/dev/sda"), machine.lstat("/dev/disks/sda")]).toEqual([null, null]);
  });

  test("/dev is not kept after its move into the new root, and kept again when it comes back", () => {
    const { machine, kept } = machineWithout();
    kept.listenForDevices();
    machine.makeDirectory("/sysroot/dev");
    kept.moveMount("/dev", "/sysroot/dev");
    machine.plugIn({ name: "sdb" });
    kept.nextDeviceEvent(0);
    expect(machine.lstat("/dev/sdb")).toBeNull();
    kept.moveMount("/sysroot/dev", "/dev");
    machine.plugIn({ name: "sdc" });
    kept.nextDeviceEvent(0);
    expect(nodeOf(machine, "/dev/sdc")).not.toBeNull();
  });
});

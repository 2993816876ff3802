import { describe, expect, test } from "bun:test";
import { ELF, fakeBoot, rootImage, stick } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

test("a plain root by its label", () => {
  const { journal, console } = fakeBoot({ cmdline: "root=LABEL=ROOT", disks: [{ name: "vda", image: rootImage() }] });
  expect(journal).toMatchInlineSnapshot(`
    [
      "mkdir /sys",
      "mount sysfs sysfs at /sys (nosuid,noexec,nodev)",
      "mkdir /run",
      "mount tmpfs tmpfs at /run (nosuid,nodev,mode=0755)",
      "mkdir /run/levain",
      "mkdir /sysroot",
      "mount ext4 /dev/vda at /sysroot (ro)",
      "release every device",
      "move /dev to /sysroot/dev",
      "move /sys to /sysroot/sys",
      "move /run to /sysroot/run",
      "move /proc to /sysroot/proc",
      "switch_root to /sysroot: /sbin/init with HOME=/ TERM=linux",
    ]
  `);
  expect(console).toMatchInlineSnapshot(`
    "levain 0.1.0 on Linux 6.1.0-fake
      prepare   command line read                                            0 ms
      modules   0 loaded for 0 devices                                       0 ms
      root      /dev/vda ext4 "ROOT"                                         0 ms
      mount     /dev/vda ext4 at /sysroot, read-only                         0 ms
      layers    nothing to stack                                             0 ms
      init      /sbin/init                                                   0 ms
      handover  switch_root to /sbin/init                                    0 ms
    "
  `);
});

test("an image on a stick, with a tmpfs over it", () => {
  const { disk, squashfs } = stick();
  const { journal, console } = fakeBoot({
    cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=tmpfs:size=100M",
    disks: [{ name: "sda", partitions: [{ image: disk }] }],
    images: [squashfs],
  });
  expect(journal).toMatchInlineSnapshot(`
    [
      "mkdir /sys",
      "mount sysfs sysfs at /sys (nosuid,noexec,nodev)",
      "mkdir /run",
      "mount tmpfs tmpfs at /run (nosuid,nodev,mode=0755)",
      "mkdir /run/levain",
      "mkdir /run/levain/medium",
      "mount vfat /dev/sda1 at /run/levain/medium (ro)",
      "load /lib/modules/6.1.0-fake/kernel/drivers/block/loop.ko",
      "loop /run/levain/medium/newroot.sfs (ro)",
      "mkdir /run/levain/lower",
      "mount squashfs /dev/loop0 at /run/levain/lower (ro)",
      "load /lib/modules/6.1.0-fake/kernel/fs/overlay.ko",
      "mkdir /run/levain/overlay",
      "mount tmpfs tmpfs at /run/levain/overlay (mode=0755,size=100M)",
      "mkdir /run/levain/overlay/upper",
      "mkdir /run/levain/overlay/work",
      "mkdir /sysroot",
      "mount overlay overlay at /sysroot (lowerdir=/run/levain/lower,upperdir=/run/levain/overlay/upper,workdir=/run/levain/overlay/work)",
      "mkdir /run/initramfs",
      "write /run/initramfs/shutdown",
      "release every device",
      "move /dev to /sysroot/dev",
      "move /sys to /sysroot/sys",
      "move /run to /sysroot/run",
      "move /proc to /sysroot/proc",
      "switch_root to /sysroot: /sbin/init with HOME=/ TERM=linux",
    ]
  `);
  expect(console).toMatchInlineSnapshot(`
    "levain 0.1.0 on Linux 6.1.0-fake
      prepare   command line read                                            0 ms
      modules   0 loaded for 0 devices                                       0 ms
      root      /dev/sda1 vfat "FLASH"                                       0 ms
      mount     /dev/sda1 vfat at /run/levain/medium, read-only              0 ms
      layers    /newroot.sfs (squashfs) + tmpfs 100M at /sysroot             0 ms
      init      /sbin/init                                                   0 ms
      handover  switch_root to /sbin/init                                    0 ms
    "
  `);
});

test("a live medium that is copied to RAM and unmounted", () => {
  const { disk, squashfs } = stick();
  const options = { disks: [{ name: "sda", image: disk }], images: [squashfs] };
  const { journal, end, record } = fakeBoot({ ...options, cmdline: "root=live:LABEL=FLASH rd.live.ram" });
  expect(journal).toMatchInlineSnapshot(`
    [
      "mkdir /sys",
      "mount sysfs sysfs at /sys (nosuid,noexec,nodev)",
      "mkdir /run",
      "mount tmpfs tmpfs at /run (nosuid,nodev,mode=0755)",
      "mkdir /run/levain",
      "mkdir /run/levain/medium",
      "mount vfat /dev/sda at /run/levain/medium (ro)",
      "mkdir /run/levain/ram",
      "mount tmpfs tmpfs at /run/levain/ram (mode=0700,size=1052672,huge=always)",
      "copy /run/levain/medium/LiveOS/squashfs.img to /run/levain/ram/squashfs.img",
      "load /lib/modules/6.1.0-fake/kernel/drivers/block/loop.ko",
      "loop /run/levain/ram/squashfs.img (ro)",
      "mkdir /run/levain/lower",
      "mount squashfs /dev/loop0 at /run/levain/lower (ro)",
      "load /lib/modules/6.1.0-fake/kernel/fs/overlay.ko",
      "mkdir /run/levain/overlay",
      "mount tmpfs tmpfs at /run/levain/overlay (mode=0755)",
      "mkdir /run/levain/overlay/upper",
      "mkdir /run/levain/overlay/work",
      "mkdir /sysroot",
      "mount overlay overlay at /sysroot (lowerdir=/run/levain/lower,upperdir=/run/levain/overlay/upper,workdir=/run/levain/overlay/work)",
      "link /run/rootfsbase to /run/levain/lower",
      "mkdir /run/initramfs",
      "link /run/initramfs/overlayfs to /run/levain/overlay",
      "unmount /run/levain/medium",
      "release /dev/sda",
      "write /run/initramfs/shutdown",
      "release every device",
      "move /dev to /sysroot/dev",
      "move /sys to /sysroot/sys",
      "move /run to /sysroot/run",
      "move /proc to /sysroot/proc",
      "switch_root to /sysroot: /sbin/init with HOME=/ TERM=linux",
    ]
  `);
  expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
  expect(record.steps.find(({ name }) => name === "layers")?.text).toBe(
    "/LiveOS/squashfs.img (squashfs, in RAM) + tmpfs at /sysroot",
  );
  // As a kernel without huge pages does.
  const before = (machine: FakeMachine) => machine.refuse("mount", /huge=always/, "EINVAL");
  const small = fakeBoot({ ...options, cmdline: "root=live:LABEL=FLASH rd.live.ram", before });
  expect(small.journal).toContain("mount tmpfs tmpfs at /run/levain/ram (mode=0700,size=1052672)");
});

test("too little memory for a copy: the boot uses the medium and says so", () => {
  const { disk, squashfs } = stick();
  const { console, end, journal } = fakeBoot({
    cmdline: "root=live:LABEL=FLASH toram",
    disks: [{ name: "sda", image: disk }],
    images: [squashfs],
    memoryBytes: 60 << 20,
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain(
    "not copying squashfs.img to RAM: it takes 4 KiB and 60 MiB are free; running from the medium",
  );
  expect(journal).not.toContain("unmount /run/levain/medium");
});

describe("a copy to RAM that fails", () => {
  const { disk, squashfs } = stick();
  const boot = (
    code: string,
    how: (machine: FakeMachine) => void = (machine) => machine.refuse("copyFile", "squashfs.img", code),
  ) =>
    fakeBoot({
      cmdline: "root=live:LABEL=FLASH toram",
      disks: [{ name: "sda", image: disk }],
      images: [squashfs],
      before: how,
    });

  test.each([
    ["EIO", "the device returns I/O errors: it is failing, or its cable is (EIO)"],
    ["ENOSPC", "there is no space left (ENOSPC)"],
    ["EUCLEAN", "copyFile failed with EUCLEAN"],
    ["ENOMEDIUM", "there is no medium in the drive (ENOMEDIUM)"],
  ])("with %s is reported with the device, and the medium itself is booted", (code, words) => {
    const { console, end, journal, mounts } = boot(code);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console.replaceAll(/\s+/g, " ")).toContain(
      `copying squashfs.img from /dev/sda to RAM failed: after 0 bytes of 4 KiB, ${words}; running from the medium`,
    );
    expect(journal).toContain("loop /run/levain/medium/LiveOS/squashfs.img (ro)");
    expect(mounts.join("\n")).not.toContain("/run/levain/ram");
  });

  test("because the medium gives less than the file has is no copy either", () => {
    const { console, mounts } = boot("", (machine) => {
      const { copyFile } = machine;
      machine.copyFile = (from, to, watch) => {
        copyFile(from, to, watch);
        machine.writeFile(to, machine.readFile(to).subarray(0, 1024));
      };
    });
    expect(console).toContain("failed: only 1 KiB of 4 KiB could be read; running from the medium");
    expect(mounts.join("\n")).not.toContain("/run/levain/ram");
  });
});

test("a late disk is waited for, and the console says so", () => {
  const { end, console, endMs } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [
      { name: "vda", image: rootImage("OTHER") },
      { name: "sda", image: rootImage(), arrivesAtMs: 6000 },
    ],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBe(6000);
  expect(console).toMatchInlineSnapshot(`
    "levain 0.1.0 on Linux 6.1.0-fake
      prepare   command line read                                            0 ms
      modules   0 loaded for 0 devices                                       0 ms
      ...       waiting for LABEL=ROOT, 1 of 30 s · seen: /dev/vda ext4 "OTHER"
      ...       waiting for LABEL=ROOT, 2 of 30 s
      root      /dev/sda ext4 "ROOT"                                      5000 ms
      mount     /dev/sda ext4 at /sysroot, read-only                         0 ms
      layers    nothing to stack                                             0 ms
      init      /sbin/init                                                   0 ms
      handover  switch_root to /sbin/init                                    0 ms
    "
  `);
});

test("rootfallback=, if root= does not appear in time", () => {
  const { end, console, endMs } = fakeBoot({
    cmdline: "root=LABEL=ROOT rootfallback=LABEL=NEITHER rootfallback=LABEL=OLD rd.timeout=5",
    disks: [{ name: "vda", image: rootImage("OLD") }],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBe(6000);
  expect(console).toContain('warning   LABEL=ROOT did not appear, booting /dev/vda ext4 "OLD" from rootfallback=');
});

test("two devices with the label of root=: a warning, and the first is used", () => {
  const { end, console, journal } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [
      { name: "vda", image: rootImage() },
      { name: "vdb", image: rootImage() },
    ],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("2 devices match LABEL=ROOT: /dev/vda and /dev/vdb; using /dev/vda");
  expect(journal).toContain("mount ext4 /dev/vda at /sysroot (ro)");
});

test("lost uevents are made up for by a scan of /sys", () => {
  const { end } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    files: { "/sbin/fsck.ext4": "#!" },
    disks: [{ name: "sdb", image: fakeImage("ext4", { label: "OTHER" }), arrivesAtMs: 2000 }],
    before(machine) {
      // The root device appears in the third second, and every uevent of it is lost.
      const { nextDeviceEvent } = machine;
      Object.assign(machine, {
        nextDeviceEvent(timeoutMs: number | null) {
          const event = nextDeviceEvent(timeoutMs);
          if (event?.devpath.endsWith("sdb") !== true) return event;
          machine.plugIn({ name: "sda", image: rootImage() });
          machine.overflowEvents();
          return nextDeviceEvent(0);
        },
      });
    },
    programs: { "/sbin/fsck.ext4": () => ({}) },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
});

test.each([
  ["/usr/lib/systemd/systemd", true],
  ["/usr/bin/systemd-like", false],
])("an init that leads to %s", (target, isSystemd) => {
  const files = { "/sbin/init": { link: target }, [target]: { data: ELF, mode: 0o755 } };
  const { end, console } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [{ name: "vda", image: rootImage("ROOT", files) }],
  });
  expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init", isSystemd });
  expect(console).toMatch(/^ {2}handover {2}switch_root to \/sbin\/init {3}/m);
});

test("no root: the initramfs is the final system, with its applets", () => {
  const { journal, end } = fakeBoot({ files: { "/sbin/init": { data: "#!/bin/busybox sh\n", mode: 0o755 } } });
  expect(end).toMatchObject({ mode: "stay", root: "/", init: "/sbin/init" });
  expect(journal).toContain("run /bin/busybox --install -s");
});

test("quiet: nothing but warnings and errors on the console, everything in the log", () => {
  const disks = [{ name: "vda", image: rootImage() }];
  const { console, machine, record } = fakeBoot({ cmdline: "quiet root=LABEL=ROOT rd.modules=no_such", disks });
  expect(console).toBe("  warning   this image has no module no_such: add it with levain image --module no_such\n");
  expect(machine.kernelLog().join("\n")).toContain('levain:   root      /dev/vda ext4 "ROOT"');
  expect(record.messages.map(({ text }) => text).join("\n")).toContain("switch_root to /sbin/init");
});

test("rd.debug: every uevent, even with quiet", () => {
  const { console } = fakeBoot({
    cmdline: "quiet rd.debug root=LABEL=ROOT",
    disks: [{ name: "vda", image: rootImage(), arrivesAtMs: 3000 }],
  });
  expect(console).toContain("  debug     uevent add /devices/pci0000:00/0000:00:01.0/block/vda\n");
});

test("rd.log= chooses where the lines go", () => {
  const disks = [{ name: "vda", image: rootImage() }];
  const inLog = fakeBoot({ cmdline: "rd.log=kmsg root=LABEL=ROOT", disks });
  expect(inLog.console).toBe("");
  expect(inLog.machine.kernelLog().join("\n")).toContain("handover  switch_root to /sbin/init");
  const onConsole = fakeBoot({ cmdline: "rd.log=console root=LABEL=ROOT", disks });
  expect(onConsole.console).toContain("handover  switch_root to /sbin/init");
  expect(onConsole.machine.kernelLog()).toEqual([]);
});

test("a real init on an overlay finds what one on a device finds", () => {
  const words =
    'rw init=/sbin/check-init rd.timeout=9 single word COLOUR="dark red" usb.x=1 -- one "two three" rd.debug';
  const image = rootImage("ROOT", { "/sbin/check-init": { data: ELF, mode: 0o755 } });
  const boot = (root: string) => fakeBoot({ cmdline: `${root} ${words}`, disks: [{ name: "vda", image }] });
  const [device, overlay] = [boot("root=LABEL=ROOT"), boot("root=LABEL=ROOT rd.overlay")];
  const handedOver = ({ journal }: typeof device) => journal.filter((line) => /^(?:move|switch_root) /.test(line));
  expect(overlay.mounts).toContain("/sysroot overlay overlay");
  expect(overlay.end).toEqual(device.end);
  expect(overlay.end).toMatchObject({ mode: "switch_root", init: "/sbin/check-init" });
  expect(handedOver(overlay)).toEqual(handedOver(device));
  expect(handedOver(overlay)).toHaveLength(5);
});

import { expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import { describeDriverless, listDriverless } from "../../../src/drivers/driverless.ts";
import type { FakeTree } from "../../support/fake-files.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const MISSING = "alias pci:v00008086d000010D3* e1000e\nalias usb:v0BDAp8179* rtl8xxxu\nalias usb:v0BDAp8179* r8188eu\n";

const SYS: FakeTree = {
  "/bus/pci/devices/0000:00:01.0/modalias": "pci:v00008086d000010D3sv0\n",
  "/bus/pci/devices/0000:00:02.0/modalias": "pci:v00008086d000010D3sv0\n",
  "/bus/pci/devices/0000:00:02.0/driver": { link: "../../drivers/e1000e" },
  "/bus/pci/devices/0000:00:03.0/modalias": "pci:v00001234d00001111sv0\n",
  "/bus/usb/devices/1-1:1.0/modalias": "usb:v0BDAp8179d0000\n",
  "/bus/usb/devices/1-2:1.0/modalias": "usb:[\n",
};

function machineWith(files: FakeTree) {
  return fakeMachine({ files, sys: SYS, mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" } });
}

test("devices without a driver are listed with the modules that the image lacks", () => {
  const machine = machineWith({ "/lib/modules/6.1.0-fake/levain-missing.zst": zstdCompressSync(MISSING) });
  expect(listDriverless(machine)).toEqual([
    {
      directory: "/sys/bus/pci/devices/0000:00:01.0",
      modalias: "pci:v00008086d000010D3sv0",
      modules: ["e1000e"],
      controller: null,
    },
    {
      directory: "/sys/bus/usb/devices/1-1:1.0",
      modalias: "usb:v0BDAp8179d0000",
      modules: ["r8188eu", "rtl8xxxu"],
      controller: null,
    },
  ]);
});

test("controllers without a driver are listed even if no module is known for them", () => {
  const bus = "/sys/bus";
  const controllers = {
    [`${bus}/pci/devices/0000:00:04.0`]: ["pci:v00008086d00002922sv0sd0bc01sc06i01", "SATA controller"],
    [`${bus}/pci/devices/0000:00:05.0`]: ["pci:v00001B36d0000000Dsv0sd0bc0Csc03i30", "USB controller"],
    [`${bus}/pci/devices/0000:00:06.0`]: ["pci:v00001AF4d00001042sv0sd0bc01sc80i00", "storage controller"],
    [`${bus}/usb/devices/1-3:1.0`]: ["usb:v0781p5567d0100dc00dsc00dp00ic08isc06ip50in00", "USB storage"],
    [`${bus}/virtio/devices/virtio0`]: ["virtio:d00000002v00001AF4", "disk"],
  } as const;
  const others = { [`${bus}/pci/devices/0000:00:07.0`]: ["pci:v00008086d00001237sv0sd0bc06sc00i00"] };
  const sys = Object.fromEntries(
    Object.entries({ ...controllers, ...others }).map(([path, [modalias]]) => [
      `${path.slice("/sys".length)}/modalias`,
      `${modalias}\n`,
    ]),
  );
  for (const files of [{}, { "/lib/modules/6.1.0-fake/levain-missing.zst": "junk" }]) {
    const machine = fakeMachine({ files, sys, mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" } });
    expect(listDriverless(machine).map(({ directory, controller }) => [directory, controller])).toEqual(
      Object.entries(controllers).map(([path, [, name]]) => [path, name]),
    );
    expect(describeDriverless(machine)).toContain("  virtio virtio0  disk  virtio:d00000002v00001AF4");
  }
});

test("an image without modules for the kernel is named as the cause, with what it has instead", () => {
  const describe = (...files: readonly string[]) =>
    describeDriverless(machineWith(Object.fromEntries(files.map((path) => [path, "x"]))));
  const build = "(build one with levain image --kernel 6.1.0-fake)";
  expect(describe()).toEqual([]); // the kernel has its drivers built in
  const sys = { "/bus/virtio/devices/virtio0/modalias": "virtio:d00000002v00001AF4\n" };
  const mounted = { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" };
  expect(describeDriverless(fakeMachine({ sys, mounted })).slice(0, 2).join(" ")).toBe(
    `this image contains no modules for 6.1.0-fake ${build}`,
  );
  expect(describe("/lib/modules/5.10.0/modules.dep", "/usr/lib/modules/6.1.0-other/a.ko")).toEqual([
    "this image contains no modules for 6.1.0-fake; it has those of 5.10.0,",
    `6.1.0-other ${build}`,
  ]);
  expect(describe("/lib/modules/6.1.0-fake/modules.dep", "/lib/modules/5.10.0/modules.dep")).toEqual([]);
  expect(describe("/usr/lib/modules/ext4.ko")).toEqual([]); // booster's layout
  const cut = machineWith({ "/lib/modules/5.10.0/modules.dep": "x" });
  cut.say("Initramfs unpacking failed: write error"); // then they were in the part that is lost
  expect(describeDriverless(cut)).toEqual([]);
});

test("a line for each of them", () => {
  const machine = machineWith({ "/lib/modules/6.1.0-fake/levain-missing.zst": zstdCompressSync(MISSING) });
  expect(describeDriverless(machine)).toEqual([
    "devices without a driver in this image (add one with levain image --module NAME):",
    "  pci 0000:00:01.0  e1000e",
    "  usb 1-1:1.0  r8188eu or rtl8xxxu",
  ]);
});

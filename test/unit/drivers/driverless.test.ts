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
    { directory: "/sys/bus/pci/devices/0000:00:01.0", modalias: "pci:v00008086d000010D3sv0", modules: ["e1000e"] },
    { directory: "/sys/bus/usb/devices/1-1:1.0", modalias: "usb:v0BDAp8179d0000", modules: ["r8188eu", "rtl8xxxu"] },
  ]);
});

test("null without a list of missing modules, or with a damaged one", () => {
  expect(listDriverless(machineWith({}))).toBeNull();
  expect(listDriverless(machineWith({ "/lib/modules/6.1.0-fake/levain-missing.zst": "junk" }))).toBeNull();
});

test("a line for each of them", () => {
  const machine = machineWith({ "/lib/modules/6.1.0-fake/levain-missing.zst": zstdCompressSync(MISSING) });
  expect(describeDriverless(machine)).toEqual([
    "devices without a driver in this image (add one with levain image --module NAME):",
    "  pci 0000:00:01.0  e1000e",
    "  usb 1-1:1.0  r8188eu or rtl8xxxu",
  ]);
  expect(describeDriverless(machineWith({}))).toEqual([]);
});

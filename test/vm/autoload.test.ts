import { expect } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";

async function ask(vm: Vm, command: string, answer: string | RegExp): Promise<void> {
  vm.send(`${command}\n`);
  await vm.expect(answer);
}

const KEYBOARDS = ["-device", "qemu-xhci", "-device", "usb-kbd"];

vmTest(
  "after a failure: keyboards work before the first prompt, and status names the modules that the image does not contain",
  async () =>
    levainGuest({
      image: { kernel: "full" },
      cmdline: "root=LABEL=nowhere rd.timeout=1 loglevel=4",
      memoryMib: 768,
      extra: [...KEYBOARDS, "-device", "e1000,addr=0x1d", "-device", "intel-hda,addr=0x1e"],
    }),
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect(PROMPT);
    await ask(
      vm,
      "grep ^N: /proc/bus/input/devices; echo end",
      /N: Name="AT .*keyboard"[\s\S]*QEMU USB Keyboard[\s\S]*\nend/,
    );
    await ask(vm, "levain status", "devices without a driver in this image (add one with levain image --module NAME):");
    await vm.expect(/^ {2}pci 0000:00:1d\.0 {2}e1000$/m);
    await vm.expect(/^ {2}pci 0000:00:1e\.0 {2}snd_hda_intel$/m);
    expect(vm.log()).not.toContain("a bug in levain");
  },
);

vmTest(
  "a shell that was asked for has its keyboard too, and the boot continues from it",
  async () =>
    levainGuest({
      image: { kernel: "full" },
      disks: [await rootImage("ext4", { label: "ROOT" })],
      cmdline: "root=LABEL=ROOT rd.break=mount loglevel=4",
      memoryMib: 768,
      extra: [...KEYBOARDS, "-device", "e1000,addr=0x1d"],
    }),
  async (vm) => {
    await vm.expect(PROMPT);
    await ask(vm, "levain status", /devices without a driver[\s\S]*^ {2}pci 0000:00:1d\.0 {2}e1000$/m);
    await ask(vm, "sleep 1; grep -c 'QEMU USB Keyboard' /proc/bus/input/devices", /^1$/m);
    await ask(vm, "exit", "small-root: ready");
  },
);

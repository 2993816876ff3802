import { expect } from "bun:test";
import { PASSPHRASE, runningStick, usbStick } from "../support/usb/stick.ts";
import { vmTest } from "../support/vm-test.ts";

const OVMF = "/usr/share/ovmf/OVMF.fd";
// Firmware and boot loaders are slow in an emulated machine.
const LOADER_MS = 240_000;
const LIMITS = { kernel: null, memoryMib: 1024, timeoutMs: 600_000 } as const;

vmTest(
  "a stick is encrypted and verified, and keeps its changes in a second volume that the same passphrase opens",
  async () => {
    const { disk } = await usbStick("--encrypt", "--key-file", "passphrase", "--persist", "32M", "--verity");
    return { ...LIMITS, disks: [{ file: disk, bus: "usb" }], extra: ["-bios", OVMF] };
  },
  async (vm) => {
    await vm.expect("passphrase: ", LOADER_MS);
    vm.send(`${PASSPHRASE}\n`);
    await vm.expect(/^ {2}root +\/dev\/mapper\/root squashfs.* in .*crypto_LUKS/m, LOADER_MS);
    await vm.expect(/small-root: mount \S+ ext4 \/dev\/mapper\/changes rw/, LOADER_MS);
    await vm.expect("small-root: ready");
    expect(vm.log()).not.toContain("wrong passphrase");
  },
);

vmTest(
  "a stick with an MBR has the root as a verified file on its FAT, and GRUB boots it by BIOS",
  async () => {
    const { disk } = await usbStick(
      "--table",
      "mbr",
      "--efi",
      "grub",
      "--bios",
      "grub",
      "--verity",
      "--label",
      "bread",
    );
    return { ...LIMITS, disks: [{ file: disk, bus: "usb" }] };
  },
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/sda1 vfat "BREAD"/m, LOADER_MS);
    await vm.expect("small-root: ready", LOADER_MS);
    vm.send("dmsetup table; echo roothash-$(grep -c verity.roothash /proc/cmdline)\n");
    await vm.expect("roothash-1");
  },
);

vmTest(
  "a stick with GPT boots by GRUB's EFI program",
  async () => {
    const { disk } = await usbStick("--efi", "grub", "--bios", "grub");
    return { ...LIMITS, disks: [{ file: disk, bus: "usb" }], extra: ["-bios", OVMF] };
  },
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/sda3 squashfs/m, LOADER_MS);
    await vm.expect("small-root: ready", LOADER_MS);
  },
);

vmTest(
  "a copy of the running system boots, without what belongs to the machine that it was copied from",
  async () => ({ ...LIMITS, disks: [{ file: await runningStick() }] }),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/vda2 squashfs/m, LOADER_MS);
    await vm.expect("copy: ready", LOADER_MS);
    vm.send("echo absent-$(ls /etc/fstab /etc/ssh/ssh_host_rsa_key 2>&1 | grep -c 'No such file')\n");
    await vm.expect("absent-2");
  },
);

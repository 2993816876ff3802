import { expect } from "bun:test";
import { join } from "node:path";
import { ask, askText } from "../support/ask.ts";
import { unpackedPackages } from "../support/debian-packages.ts";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { debianKernel } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { levainImage } from "../support/levain-image.ts";
import { textFile } from "../support/live-media.ts";
import { vmTest } from "../support/vm-test.ts";

const OVMF = "/usr/share/ovmf/OVMF.fd";
const BOOT_LOADER = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
const FIRMWARE_MS = 400_000;

/** The program that marks a boot entry as good, of the package systemd-boot; its libraries are this host's. */
async function blessBoot(): Promise<string> {
  return join(await unpackedPackages(["systemd-boot"]), "root/lib/systemd/systemd-bless-boot");
}

/** systemd-boot boots the entry that sorts last by its name, as the newer version, while it has tries left. */
async function countedDisk(): Promise<string> {
  const { vmlinuz } = await debianKernel("cloud");
  const entry = (title: string, words: string) =>
    textFile(
      `title ${title}\nlinux /vmlinuz\ninitrd /initrd\noptions console=ttyS0 rd.timeout=1 rd.emergency=reboot ${words}\n`,
    );
  const files = {
    "/EFI/BOOT/BOOTX64.EFI": BOOT_LOADER,
    "/loader/loader.conf": await textFile("timeout 0\n"),
    "/loader/entries/system-1+2.conf": await entry(
      "old",
      "root=LABEL=BREAD rd.break=handover rd.modules=vfat,nls_ascii,nls_cp437,efivarfs",
    ),
    "/loader/entries/system-2+3.conf": await entry("new", "root=LABEL=WRONG"),
    "/vmlinuz": vmlinuz,
    "/initrd": await levainImage({
      config: `programs = ["${await blessBoot()}"]`,
      words: ["--module", "vfat", "--module", "nls_ascii", "--module", "nls_cp437"],
    }),
  };
  const partitions = [
    { file: await filesImage("vfat", files, { label: "ESP" }), type: "U" },
    { file: await rootImage("ext4", { label: "BREAD" }), type: "L" },
  ];
  return assembleDisk(partitions, { table: "gpt" });
}

vmTest(
  "systemd-boot counts the tries of an entry: three bad boots, then the entry before, which systemd-bless-boot marks as good",
  async () => ({
    kernel: null,
    disks: [{ file: await countedDisk() }],
    extra: ["-bios", OVMF, "-action", "reboot=reset"],
    memoryMib: 1024,
    timeoutMs: 1_500_000,
  }),
  async (vm) => {
    for (const said of ["try 1 of 3", "try 2 of 3", "try 3 of 3, the last"]) {
      await vm.expect(`boot entry system-2: ${said}\n`, FIRMWARE_MS);
      await vm.expect("could not find the root device");
      await vm.expect("rebooting now\n");
    }
    await vm.expect("boot entry system-1: try 1 of 2\n", FIRMWARE_MS);
    await vm.expect(/root +\/dev\/vda2 ext4 "BREAD"/);
    await vm.expect(PROMPT);
    await ask(
      vm,
      "mkdir /esp; mount -t vfat /dev/vda1 /esp && ls /esp/loader/entries",
      /system-1\+1-1\.conf\s+system-2\+0-3\.conf/,
    );
    await askText(vm, "mount -t efivarfs efivarfs /sys/firmware/efi/efivars");
    await askText(vm, `SYSTEMD_RELAX_ESP_CHECKS=1 ${await blessBoot()} --path=/esp good`);
    await ask(vm, "ls /esp/loader/entries", /system-1\.conf\s+system-2\+0-3\.conf/);
    await askText(vm, "umount /esp");
    // The entry that is good is booted again, and is not counted any more.
    vm.send("levain reboot\n");
    await vm.expect(/root +\/dev\/vda2 ext4 "BREAD"/, FIRMWARE_MS);
    await vm.expect(PROMPT);
    expect(vm.log().split("levain reboot").at(-1)).not.toContain("boot entry");
  },
);

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { decryptXts } from "../../src/crypto/xts.ts";
import { run } from "../support/command.ts";
import { debianStick, PASSPHRASE, runningStick, usbStick } from "../support/usb/stick.ts";
import { QUEUE_TIMEOUT_MS, vmTest } from "../support/vm-test.ts";

const OVMF = "/usr/share/ovmf/OVMF.fd";
// Firmware and boot loaders are slow in an emulated machine.
const LOADER_MS = 240_000;
const SYSTEM_MS = 600_000;
const LIMITS = { kernel: null, memoryMib: 1024, timeoutMs: 600_000 } as const;

vmTest(
  "a stick is encrypted and verified, and keeps its changes in a second volume; its passphrase is asked for once",
  async () => {
    const { disk } = await usbStick("--encrypt", "--key-file", "-", "--persist", "32M", "--verity", "<", "passphrase");
    return { ...LIMITS, disks: [{ file: disk, bus: "usb" }], extra: ["-bios", OVMF] };
  },
  async (vm) => {
    await vm.expect("passphrase: ", LOADER_MS);
    vm.send(`${PASSPHRASE}\n`);
    await vm.expect(/^ {2}root +\/dev\/mapper\/root squashfs in \/dev\/mapper\/stick/m, LOADER_MS);
    await vm.expect(/small-root: mount \S+ ext4 \/dev\/mapper\/changes rw/, LOADER_MS);
    await vm.expect("small-root: ready");
    expect(vm.log().match(/passphrase: /g)).toHaveLength(1);
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
  "an encrypted stick with GPT boots by GRUB's EFI program",
  async () => {
    const { disk } = await usbStick("--efi", "grub", "--bios", "grub", "--encrypt", "--key-file", "passphrase");
    return { ...LIMITS, disks: [{ file: disk, bus: "usb" }], extra: ["-bios", OVMF] };
  },
  async (vm) => {
    await vm.expect("passphrase: ", LOADER_MS);
    vm.send(`${PASSPHRASE}\n`);
    await vm.expect(/^ {2}root +\/dev\/mapper\/stick squashfs in \/dev\/sda3/m, LOADER_MS);
    await vm.expect("small-root: ready", LOADER_MS);
  },
);

vmTest(
  "a new Debian on a stick boots from an erofs to a login, with the password that root was given",
  async () => {
    const extra = ["-bios", OVMF];
    return { ...LIMITS, timeoutMs: 1_200_000, disks: [{ file: await debianStick(), bus: "usb" }], extra };
  },
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/sda2 erofs/m, LOADER_MS);
    await vm.expect("rye login: ", SYSTEM_MS);
    vm.send("root\n");
    await vm.expect("Password: ", LOADER_MS);
    vm.send(`${PASSPHRASE}\n`);
    await vm.expect("root@rye:~# ", LOADER_MS);
    vm.send("zstd --version; echo state=$(systemctl is-system-running --wait) id=$(wc -c < /etc/machine-id)\n");
    await vm.expect(/state=\w+ id=33/, SYSTEM_MS);
    expect(vm.log()).toContain("state=running");
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

test(
  "the volume key that cryptsetup finds opens what levain has encrypted",
  async () => {
    const { disk, summary } = await usbStick("--encrypt", "--key-file", "passphrase");
    const root: { start: number; bytes: number } = summary.partitions[1];
    const [volume, key] = ["volume", "key"].map((name) => join(dirname(disk), name));
    if (volume === undefined || key === undefined) throw new Error("no names");
    const bytes = await Bun.file(disk)
      .slice(root.start, root.start + root.bytes)
      .bytes();
    writeFileSync(volume, bytes);
    // The newline at the end of the file is not part of what is typed.
    writeFileSync(key, PASSPHRASE);
    const dump = ["luksDump", "--batch-mode", "--dump-volume-key", "--key-file", key, volume];
    const text = (await run(["cryptsetup", ...dump])).split("MK dump:")[1] ?? "";
    const volumeKey = new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));
    const data = bytes.slice(16 * 2 ** 20, 16 * 2 ** 20 + 4096);
    expect(new TextDecoder().decode(decryptXts(volumeKey, new Uint8Array(16), data, 4096).subarray(0, 4))).toBe("hsqs");
    expect(Buffer.from(data).includes("hsqs")).toBe(false);
  },
  QUEUE_TIMEOUT_MS,
);

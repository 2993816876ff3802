import { expect } from "bun:test";
import { classicInitrd } from "../support/classic-initrd.ts";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest(
  "scenario B: a plain volume beside PRIVDEB_BOOT on a USB stick, found as its sibling; a wrong passphrase is asked again",
  async () => {
    const beside = await rootImage("ext2", { label: "PRIVDEB_BOOT" });
    const plain = (await encryptedVolume("plain")).volume;
    const stick = await assembleDisk([{ file: beside }, { file: plain }], { table: "dos", id: "0x9f1deb00" });
    const sibling = "SIBLING=2:LABEL=PRIVDEB_BOOT";
    return {
      ...(await classicInitrd("squashfs-lz4", { kernel: "full" })),
      disks: [{ file: stick, bus: "ehci" }],
      cmdline: `rd.crypt.plain=${sibling}:root:defaults=old root=/dev/mapper/root rd.putold=/initrd`,
    };
  },
  async (vm) => {
    const question = "/dev/sda2 (plain aes-cbc-essiv:sha256) as root";
    expect(await answer(vm, "not this one")).toBe(`${question}, 5 tries left`);
    expect(await answer(vm, PASSPHRASE)).toBe(`${question}, 4 tries left`);
    await vm.expect(/handover +pivot_root to \/sbin\/init/);
    await vm.expect("small-root: mount /initrd squashfs /dev/loop7 ro,");
    await vm.expect("small-root: mount / ext4 /dev/mapper/root ro,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "an overlay of two volumes, Serpent's squashfs and Twofish's ext4, with one passphrase that is asked once",
  async () =>
    levainGuest({
      disks: [(await encryptedVolume("base")).volume, (await encryptedVolume("upper")).volume],
      cmdline: `rd.auto root=/dev/mapper/luks-${LUKS_UUID.base} rd.layer=LABEL=UPPER rd.overlay`,
    }),
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect("small-root: mount / overlay");
    await vm.expect("small-root: ready");
    expect(vm.log().match(/passphrase: /g)).toHaveLength(1);
  },
);

vmTest(
  "a LUKS container that is a file on a FAT; Ctrl-C leaves nothing of it",
  async () => {
    const files = { "/vault.img": (await encryptedVolume("file")).volume };
    return levainGuest({
      disks: [await filesImage("vfat", files, { label: "STICK" })],
      cmdline: "root=LABEL=STICK rd.image=/vault.img rd.overlay",
    });
  },
  async (vm) => {
    await answer(vm, "\u0003");
    await vm.expect(PROMPT);
    vm.send("ls /dev/mapper; losetup -a; grep -c -e loop -e mapper /proc/mounts; exit\n");
    await vm.expect("\ncontrol\n0\n");
    expect(await answer(vm, PASSPHRASE)).toStartWith(`/dev/loop0 (LUKS2) as luks-${LUKS_UUID.file}`);
    await vm.expect(`small-root: mount /run/levain/lower ext4 /dev/mapper/luks-${LUKS_UUID.file} ro,`);
    await vm.expect("small-root: mount / overlay overlay rw,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "LUKS2 with dm-integrity below, by Alpine's cryptroot= and cryptdm=",
  async () =>
    levainGuest({
      disks: [(await encryptedVolume("authenticated")).volume],
      cmdline: `cryptroot=UUID=${LUKS_UUID.authenticated} cryptdm=whole root=/dev/mapper/whole`,
    }),
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect("small-root: mount / ext4 /dev/mapper/whole ro,");
    await vm.expect("small-root: ready");
    vm.send("ls /dev/mapper\n");
    await vm.expect(/whole\s+whole_dif/);
  },
);

import { expect } from "bun:test";
import { classicInitrd } from "../support/classic-initrd.ts";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

/** What the people of scenario B load first; one that is missing is no failure. */
const MODULES = "aes,dm-crypt,sd_mod,ehci-hcd,uhci-hcd,usb-storage,usbhid,ext2,no-such-module";

vmTest(
  "scenario B: a plain volume beside PRIVDEB_BOOT on a USB stick, found as its sibling; a second prompt if its content is unknown, or its mount fails",
  async () => {
    const beside = await rootImage("ext2", { label: "PRIVDEB_BOOT" });
    const plain = (await encryptedVolume("plain")).volume;
    const stick = await assembleDisk([{ file: beside }, { file: plain }], { table: "dos", id: "0x9f1deb00" });
    const sibling = "SIBLING=2:LABEL=PRIVDEB_BOOT";
    return {
      ...(await classicInitrd("squashfs-lz4", { kernel: "full" })),
      disks: [{ file: stick, bus: "ehci" }],
      cmdline: `rd.modules=${MODULES} rd.crypt.plain=${sibling}:root:defaults=old,tries=3 root=/dev/mapper/root rootfstype=squashfs rd.putold=/initrd`,
    };
  },
  async (vm) => {
    const question = "/dev/sda2 (plain aes-cbc-essiv:sha256) as root";
    await vm.expect(/warning {3}.*no[-_]such[-_]module/);
    expect(await answer(vm, "not this one")).toBe(`${question}, 3 tries left`);
    expect(await answer(vm, PASSPHRASE)).toBe(`${question}, 2 tries left`);
    await vm.expect(
      /warning {3}could not mount \/dev\/mapper\/root at \/sysroot: the passphrase may be\s+wrong, asking again/,
    );
    expect(await answer(vm, PASSPHRASE)).toBe(`${question}, the last try`);
    await vm.expect(PROMPT);
    vm.send("levain retry rootfstype=ext4\n");
    expect(await answer(vm, PASSPHRASE)).toBe(`${question}, 3 tries left`);
    expect(vm.log().match(/wrong passphrase/g)).toHaveLength(1);
    await vm.expect(/handover +pivot_root to \/sbin\/init/);
    await vm.expect("small-root: mount /initrd squashfs /dev/loop7 ro,");
    await vm.expect("small-root: mount / ext4 /dev/mapper/root ro,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "an overlay of two volumes, a squashfs in Serpent and an ext4 in Twofish, with one passphrase, asked once",
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
    vm.send("ls /dev/mapper; losetup -a; grep -c -e loop -e mapper /proc/mounts\n");
    await vm.expect("\ncontrol\n0\n");
    vm.send("exit\n");
    expect(await answer(vm, PASSPHRASE)).toStartWith(`/dev/loop0 (LUKS2) as luks-${LUKS_UUID.file}`);
    await vm.expect(`small-root: mount /run/levain/lower ext4 /dev/mapper/luks-${LUKS_UUID.file} ro,`);
    await vm.expect("small-root: mount / overlay overlay rw,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "LUKS2 with dm-integrity below, HMAC by Alpine's cryptroot= and AEAD: opened by hand, and recognised by the boot",
  async () =>
    levainGuest({
      disks: [(await encryptedVolume("authenticated")).volume, (await encryptedVolume("sealed")).volume],
      cmdline: `cryptroot=UUID=${LUKS_UUID.authenticated} cryptdm=whole rd.luks.name=${LUKS_UUID.sealed}=sealed root=/dev/mapper/whole rd.break=root`,
    }),
  async (vm) => {
    await vm.expect(PROMPT);
    vm.send("levain unlock\n");
    await answer(vm, PASSPHRASE);
    await vm.expect(PROMPT);
    vm.send("exit\n");
    await vm.expect("small-root: mount / squashfs /dev/mapper/whole ro,");
    await vm.expect("small-root: ready");
    expect(vm.log().match(/passphrase: /g)).toHaveLength(1);
    vm.send("ls /dev/mapper; mount -o ro /dev/mapper/sealed /mnt; cat /mnt/etc/os-release\n");
    await vm.expect(/sealed\s+sealed_dif\s+whole\s+whole_dif/);
    await vm.expect("ID=small-root");
  },
);

import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { filesImage } from "../support/disk-images.ts";
import { encryptedVolume, keyFile, LUKS_UUID, OUTER_PASSPHRASE, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest(
  "LUKS1 on a disk that is exchanged at the prompt, opened by a key file on a stick that is plugged in then",
  async () => {
    const stick = await filesImage("vfat", { "/keys/root.key": await keyFile() }, { label: "KEYS" });
    const { volume } = await encryptedVolume("upper");
    const copy = join(scratchDirectory(), "copy");
    copyDisk(volume, copy);
    return levainGuest({
      image: { kernel: "full" },
      disks: [
        { file: volume, bus: "usb", id: "first" },
        { file: copy, bus: "usb", id: "second", unplugged: true },
        { file: stick, bus: "usb", id: "stick", unplugged: true },
      ],
      cmdline: `root=LABEL=UPPER rd.luks.name=${LUKS_UUID.upper}=root rd.luks.key=/keys/root.key:LABEL=KEYS rd.luks.key.tout=2 rd.timeout=900`,
      memoryMib: 768,
    });
  },
  async (vm) => {
    const question = /unlock {4}\/dev\/sd[ab] \(LUKS1\) as root, 5 tries left\n {12}passphrase: /;
    await vm.expect(question);
    await vm.unplug("first");
    await vm.expect("no longer needed");
    await vm.plug("second");
    await vm.expect(question);
    await vm.plug("stick");
    await vm.expect("no longer needed");
    await vm.expect("small-root: mount / ext4 /dev/mapper/root ro,");
    await vm.expect("small-root: ready");
    vm.send("grep -c -e /dev/sd -e search /proc/mounts; echo all-$((40 + 2))\n");
    await vm.expect("\n0\nall-42");
  },
);

vmTest(
  "LUKS2 in LUKS1, each with its own passphrase, by the image's crypttab",
  async () => {
    const crypttab = join(scratchDirectory(), "crypttab");
    writeFileSync(
      crypttab,
      `# name device key options\nouter UUID=${LUKS_UUID.outer} none luks\ninner /dev/mapper/outer none luks,tries=3\n`,
    );
    return levainGuest({
      image: { files: { "/etc/crypttab": crypttab } },
      disks: [(await encryptedVolume("outer")).volume],
      cmdline: "root=/dev/mapper/inner",
    });
  },
  async (vm) => {
    expect(await answer(vm, OUTER_PASSPHRASE)).toBe("/dev/vda (LUKS1) as outer, 5 tries left");
    expect(await answer(vm, PASSPHRASE)).toBe("/dev/mapper/outer (LUKS2) as inner, 3 tries left");
    await vm.expect("small-root: mount / ext4 /dev/mapper/inner ro,");
  },
);

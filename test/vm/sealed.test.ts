import { expect } from "bun:test";
import { join } from "node:path";
import { FIXTURES } from "../contract/case.ts";
import { encryptedVolume, keyFile, LUKS_UUID, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { packInitramfs } from "../support/initramfs.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { moduleEntries, packGuest } from "../support/packed-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { STACKED_UUID, stackedDisks } from "../support/stacked-disks.ts";
import { answer } from "../support/unlocking.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

// A shell belongs to whoever stands before the machine: what a key has opened is closed before it starts.

const ID = LUKS_UUID.vault;
const NODE = `/dev/mapper/luks-${ID}`;
const KEY = "/etc/keys/vault";

/** LUKS on a mirror of two LUKS volumes, all opened by the key file; the root does not appear. */
async function nested() {
  const { member0, member1, inner } = STACKED_UUID;
  const volumes = [member0, member1, inner].map((uuid) => `rd.luks.uuid=${uuid}`).join(" ");
  return levainGuest({
    image: { files: { [KEY]: await keyFile() } },
    disks: await stackedDisks("nested"),
    cmdline: `${volumes} rd.luks.key=${KEY} root=LABEL=NONE rd.timeout=600 sysrq_always_enabled`,
  });
}

async function unattended(cmdline: string) {
  return levainGuest({
    image: { files: { [KEY]: await keyFile() } },
    disks: [(await encryptedVolume("vault")).volume],
    cmdline: `rd.luks.uuid=${ID} rd.luks.key=${KEY} ${cmdline}`,
  });
}

/** Nothing to read in this shell, neither the volume nor its key. */
async function expectSealed(vm: Vm): Promise<void> {
  await vm.expect(PROMPT);
  vm.send(
    `ls -A /dev/mapper; ls ${KEY}; ls -d /sys/block/dm-* /sys/block/md*; grep -c mapper /proc/mounts; echo all-$((40 + 2))\n`,
  );
  await vm.expect("\ncontrol\n");
  await vm.expect(`ls: ${KEY}: No such file or directory`);
  await vm.expect("/sys/block/dm-*: No such file or directory");
  await vm.expect("/sys/block/md*: No such file or directory");
  await vm.expect("\n0\n");
  await vm.expect("all-42");
}

vmTest(
  "a mount that fails after a key has opened the volume: the shell finds neither, and a passphrase continues the boot",
  () => unattended(`root=${NODE} rootfstype=squashfs`),
  async (vm) => {
    await vm.expect(`removed the key file ${KEY} of this image`);
    await vm.expect(/closed\s+\/dev\/mapper\/luks-/);
    await vm.expect(`could not mount ${NODE}`);
    await expectSealed(vm);
    vm.send("levain retry rootfstype=ext4\n");
    await answer(vm, PASSPHRASE);
    await vm.expect(`small-root: mount / ext4 ${NODE} ro,`);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "rd.break before the handover: what is mounted is unmounted first, and the boot goes on from the root",
  () => unattended(`root=${NODE} rd.break=handover`),
  async (vm) => {
    await vm.expect(/closed\s+\/dev\/mapper\/luks-/);
    await expectSealed(vm);
    vm.send("exit\n");
    await answer(vm, PASSPHRASE);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "if the runtime is killed while volumes are open, one on an array of two others, process 1 closes all before its shell",
  nested,
  async (vm) => {
    await vm.expect("unlocking /dev/md9");
    await vm.expect("waiting for LABEL=NONE");
    const keys = ["alt", "sysrq", "i"].map((data) => ({ type: "qcode", data }));
    await vm.monitor("send-key", { keys, "hold-time": 50 });
    await vm.expect("levain: killed by SIGKILL");
    vm.send("\n");
    await expectSealed(vm);
  },
);

vmTest(
  "if a disk holds up process 1 while it closes the volumes, that is said, and the shell starts when they are closed",
  async () => {
    const modules = ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"];
    const paths = [...modules.map((name) => `drivers/virtio/${name}`), "drivers/block/virtio_blk", "drivers/md/dm-mod"];
    const initrd = await packInitramfs({
      "/init": { file: await packGuest(join(import.meta.dirname, "../support/dying-disk-guest.ts")) },
      [FIXTURES.busybox]: { file: BUSYBOX },
      ...(await moduleEntries(FIXTURES.modules, paths)),
    });
    return { initrd, cmdline: "quiet", disks: [{ file: await rootImage("ext4") }] };
  },
  async (vm) => {
    await vm.expect("levain: killed by SIGKILL");
    await vm.expect("levain: a disk does not answer: no shell starts before the encrypted volumes are closed");
    expect(vm.log()).not.toContain("rescue shell");
    await vm.expect("levain: rescue shell: `exit` starts levain again");
    await vm.expect(PROMPT);
    vm.send("ls -d /sys/block/dm-*; echo all-$((40 + 2))\n");
    await vm.expect("/sys/block/dm-*: No such file or directory");
    await vm.expect("all-42");
  },
);

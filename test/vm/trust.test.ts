import { expect } from "bun:test";
import { encryptedVolume, LUKS_UUID, PASSPHRASE, ROOT_UUID } from "../support/encrypted-volumes.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

/** An unencrypted disk with the UUID and the label of the filesystem inside of the vault: both are public. */
function strangersDisk(): Promise<string> {
  return rootImage("ext4", { label: "ROOT", uuid: ROOT_UUID }, { "/etc/stranger": { text: "a stranger's root\n" } });
}

vmTest(
  "a stranger's disk with the UUID of the root is not booted, though it is there first",
  async () =>
    levainGuest({
      disks: [await strangersDisk(), (await encryptedVolume("vault")).volume],
      cmdline: `rd.luks.uuid=${LUKS_UUID.vault} root=UUID=${ROOT_UUID}`,
    }),
  async (vm) => {
    expect(await answer(vm, PASSPHRASE)).toContain("/dev/vdb");
    await vm.expect(`small-root: mount / ext4 /dev/mapper/luks-${LUKS_UUID.vault} ro,`);
    await vm.expect("small-root: ready");
    vm.send("ls /etc/stranger; echo all-$((40 + 2))\n");
    await vm.expect("No such file");
    await vm.expect("all-42");
  },
);

vmTest(
  "a stranger's disk with the UUID of an encrypted disk that is slow to answer is not booted, though no parameter names a volume",
  async () =>
    levainGuest({
      disks: [
        { file: await rootImage("ext4", { label: "COPY", uuid: LUKS_UUID.vault }) },
        { file: (await encryptedVolume("vault")).volume, bytesPerSecond: 4096 },
      ],
      cmdline: `root=UUID=${LUKS_UUID.vault} rd.luks.options=discard rd.timeout=900`,
    }),
  async (vm) => {
    await vm.expect(/waiting for \/dev\/vdb,\s+which may hold the encrypted root/);
    await vm.expect(/\/dev\/vdb \(LUKS2, "VAULT"\)[\s\S]*passphrase: /, 240_000);
    expect(vm.log()).not.toContain("small-root:");
  },
);

vmTest(
  "a root that is not encrypted boots only with every volume closed",
  async () =>
    levainGuest({
      disks: [
        (await encryptedVolume("upper")).volume,
        { file: await strangersDisk(), id: "stranger", unplugged: true },
      ],
      cmdline: `rd.auto root=UUID=${ROOT_UUID}`,
    }),
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect("waiting for UUID=");
    await vm.plug("stranger");
    await vm.expect(/ext4 "ROOT" is not encrypted: closed\s+\/dev\/mapper\/luks-/);
    await vm.expect("small-root: ready");
    vm.send("ls -A /dev/mapper; ls -d /sys/block/dm-*; echo all-$((40 + 2))\n");
    await vm.expect("\ncontrol\n");
    await vm.expect("No such file");
    await vm.expect("all-42");
  },
);

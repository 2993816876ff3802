import { expect } from "bun:test";
import { DEBIAN_UUID } from "../support/debian-root.ts";
import { checkSystem, logIn } from "../support/debian-system.ts";
import { encryptedDebian } from "../support/encrypted-debian.ts";
import { LUKS_UUID, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { SAME_ADDRESSES } from "../support/guest-words.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

const BOOT_TIMEOUT_MS = 240_000;

vmTest(
  "Debian 12 on LUKS: udev and systemd recognise the mapping that levain made, by fstab and crypttab",
  async () =>
    levainGuest({
      disks: [await encryptedDebian()],
      cmdline: `root=UUID=${DEBIAN_UUID} rd.luks.name=${LUKS_UUID.vault}=vault ${SAME_ADDRESSES}`,
      memoryMib: 1024,
      smp: 2,
      timeoutMs: 2 * BOOT_TIMEOUT_MS,
    }),
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await logIn(vm);
    await checkSystem(vm);
    await vm.expect(/boot\.json\s[\s\S]*?^ext4\s+rw,/m);
    vm.send(
      `readlink /dev/disk/by-uuid/${DEBIAN_UUID}; ls /dev/disk/by-id | grep -c dm-uuid-CRYPT-LUKS2; stat -c %F /dev/mapper/vault\n`,
    );
    await vm.expect("../../dm-0\n1\nsymbolic link\n");
    vm.send("systemctl is-active systemd-cryptsetup@vault systemd-fsck-root\n");
    await vm.expect("\nactive\nactive\n");
    vm.send("systemd-analyze\n");
    await vm.expect(/\(kernel\) \+ [\dmin. ]+s \(initrd\) \+ /);
    vm.send("poweroff\n");
    expect(await vm.expectExit(BOOT_TIMEOUT_MS)).toMatchObject({ reason: "guest-shutdown" });
  },
);

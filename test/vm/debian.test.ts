import { expect } from "bun:test";
import { DEBIAN_UUID, debianImage } from "../support/debian-root.ts";
import { flashStick } from "../support/disk-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";

const BOOT_TIMEOUT_MS = 240_000;

async function logIn(vm: Vm): Promise<void> {
  await vm.expect(/Reached target .*multi-user\.target/, BOOT_TIMEOUT_MS);
  await vm.expect("levain-debian login:", BOOT_TIMEOUT_MS);
  vm.send("root\n");
  await vm.expect(/^root@levain-debian:~# /m);
}

/** systemd's own view of the system that it was handed. */
async function checkSystem(vm: Vm): Promise<void> {
  vm.send("echo state=$(systemctl is-system-running --wait) failed=$(systemctl --failed --quiet | wc -l)\n");
  await vm.expect("state=running failed=0", BOOT_TIMEOUT_MS);
  vm.send("for i in /dev /proc /sys /run; do echo $i=$(findmnt -n -o FSTYPE -M $i | wc -l); done; cat /proc/1/comm\n");
  await vm.expect("/dev=1\n/proc=1\n/sys=1\n/run=1\nsystemd\n");
  vm.send("ls /run/levain; findmnt -n -o FSTYPE,OPTIONS /\n");
}

vmTest(
  "Debian 12 with systemd on ext4, by its UUID",
  async () =>
    levainGuest({
      disks: [await debianImage("ext4")],
      cmdline: `root=UUID=${DEBIAN_UUID} rw`,
      memoryMib: 1024,
      smp: 2,
      timeoutMs: 2 * BOOT_TIMEOUT_MS,
    }),
  async (vm) => {
    await logIn(vm);
    await checkSystem(vm);
    await vm.expect(/boot\.json\s+ext4\s+rw,/);
    vm.send("poweroff\n");
    expect(await vm.expectExit(BOOT_TIMEOUT_MS)).toMatchObject({ reason: "guest-shutdown" });
  },
);

vmTest(
  "Debian 12 with systemd on squashfs and a tmpfs",
  async () =>
    levainGuest({
      disks: [await flashStick({ image: await debianImage("squashfs-zstd") })],
      cmdline: "quiet root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=tmpfs:size=200M systemd.show_status=1",
      memoryMib: 1024,
      smp: 2,
      timeoutMs: 2 * BOOT_TIMEOUT_MS,
    }),
  async (vm) => {
    await logIn(vm);
    await checkSystem(vm);
    await vm.expect(/boot\.json\s+lower\s+medium\s+overlay\s+overlay\s+rw,/);
    vm.send("poweroff\n");
    expect(await vm.expectExit(BOOT_TIMEOUT_MS)).toMatchObject({ reason: "guest-shutdown" });
  },
);

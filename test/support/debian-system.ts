import { expect } from "bun:test";
import type { Vm } from "./qemu.ts";

const BOOT_TIMEOUT_MS = 480_000;

/** Logs in to the Debian of debian-root.ts as root, when it has started all of its services. */
export async function logIn(vm: Vm): Promise<void> {
  await vm.expect(/Reached target .*multi-user\.target/, BOOT_TIMEOUT_MS);
  await vm.expect("levain-debian login:", BOOT_TIMEOUT_MS);
  expect(vm.log()).not.toMatch(/Timed out waiting for device|Dependency failed/);
  vm.send("root\n");
  await vm.expect(/^root@levain-debian:~# /m);
}

/** systemd's own view of the system that it was handed; at the end comes what is in /run/levain, and how / is mounted. */
export async function checkSystem(vm: Vm): Promise<void> {
  vm.send("echo state=$(systemctl is-system-running --wait) failed=$(systemctl --failed --quiet | wc -l)\n");
  await vm.expect("state=running failed=0", BOOT_TIMEOUT_MS);
  vm.send("for i in /dev /proc /sys /run; do echo $i=$(findmnt -n -o FSTYPE -M $i | wc -l); done; cat /proc/1/comm\n");
  await vm.expect("/dev=1\n/proc=1\n/sys=1\n/run=1\nsystemd\n");
  vm.send("ls /run/levain; findmnt -n -o FSTYPE,OPTIONS /\n");
}

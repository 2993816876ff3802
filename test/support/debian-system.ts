import { expect } from "bun:test";
import type { Vm } from "./qemu.ts";

const BOOT_TIMEOUT_MS = 480_000;
const ASK_AGAIN_MS = 60_000;

/** Files of /etc for a system that has a busy host. */
export const PATIENT = {
  // The first boot of a system without one would commit it, which takes minutes on a busy host.
  "machine-id": "6c657661696e40008000000000000001\n",
  // On a busy host, an emulated machine needs more than systemd's 90 s.
  "systemd/system.conf.d/patient.conf": "[Manager]\nDefaultTimeoutStartSec=600\nDefaultDeviceTimeoutSec=600\n",
};

/**
 * Logs in to the Debian of debian-root.ts as root, when it has started all of its services. What systemd says last may be missing on the
 * console: where a login prompt is about to come, the line is hung up, and the kernel throws away what it has not sent yet.
 */
export async function logIn(vm: Vm): Promise<void> {
  await vm.expect(/Reached target .*basic\.target/, BOOT_TIMEOUT_MS);
  await expectPrompt(vm, "levain-debian login:");
  expect(vm.log()).not.toMatch(/Timed out waiting for device|Dependency failed/);
  vm.send("root\n");
  await vm.expect(/^root@levain-debian:~# /m);
  // The kernel may speak in the middle of an answer otherwise.
  vm.send("dmesg -n 1; systemctl is-system-running --wait\n");
  await vm.expect(/^(?:running|degraded)$/m, BOOT_TIMEOUT_MS);
}

/** Waits for a prompt, and asks for it again with the return key, as a person does. */
async function expectPrompt(vm: Vm, prompt: string): Promise<void> {
  const until = vm.clock() + BOOT_TIMEOUT_MS;
  while (!(await vm.expect(prompt, ASK_AGAIN_MS).catch(() => null))) {
    if (vm.clock() > until) throw new Error(`no "${prompt}" after ${BOOT_TIMEOUT_MS} ms`);
    vm.send("\n");
  }
}

/** systemd's own view of the system that it was handed; at the end comes what is in /run/levain, and how / is mounted. */
export async function checkSystem(vm: Vm): Promise<void> {
  vm.send("echo state=$(systemctl is-system-running --wait) failed=$(systemctl --failed --quiet | wc -l)\n");
  await vm.expect("state=running failed=0", BOOT_TIMEOUT_MS);
  vm.send("for i in /dev /proc /sys /run; do echo $i=$(findmnt -n -o FSTYPE -M $i | wc -l); done; cat /proc/1/comm\n");
  await vm.expect("/dev=1\n/proc=1\n/sys=1\n/run=1\nsystemd\n");
  vm.send("ls /run/levain; findmnt -n -o FSTYPE,OPTIONS /\n");
}

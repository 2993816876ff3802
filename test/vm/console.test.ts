import { expect } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { LevainImageOptions } from "../support/levain-image.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

const STEPS = ["prepare", "modules", "root", "mount", "layers", "init", "handover"];

async function guest(cmdline: string, image: LevainImageOptions = {}): Promise<VmTestOptions> {
  return levainGuest({ disks: [await rootImage("ext4", { label: "ROOT" })], cmdline, image });
}

/** What came on the console between the kernel's start of our program and the real init's first word; the kernel may speak until levain does. */
function bootLines(log: string): string[] {
  const after = log.split("Run /init as init process\n")[1] ?? log;
  const all = (after.split("small-root:")[0] ?? "").trimEnd().split("\n");
  const lines = all.slice(all.findIndex((line) => !/^\[ *\d+\.\d+\] (?!levain)/.test(line)));
  // The kernel speaks again as soon as it is asked to start the real init; where the host is busy, a disk is slow, which levain says.
  return lines.filter((line) => !/Not activating Mandatory Access Control|^ {2}\.\.\. |^ {12}/.test(line));
}

vmTest(
  "a boot, from an image that has no shell as its own parameters forbid one, prints seven lines, and the kernel's log has them too",
  () => guest("root=LABEL=ROOT", { config: 'parameters = ["rdshell=0"]\n' }),
  async (vm) => {
    await vm.expect("small-root: ready");
    const [head, ...steps] = bootLines(vm.log());
    expect(head).toMatch(/^levain \S+ on Linux \S+$/);
    expect(steps.map((line) => /^ {2}(\S+) +.* +\d+ ms$/.exec(line)?.[1] ?? line)).toEqual(STEPS);
    expect(new Set(steps.map((line) => line.length)).size).toBe(1);
    expect(steps[0]?.length).toBeLessThanOrEqual(80);
    vm.send("echo levels $(cat /proc/sys/kernel/printk); dmesg | grep -c 'levain: '; dmesg | tail -n 3\n");
    await vm.expect(/levels 7 4 1 7\n8\n/);
    await vm.expect(/levain: {3}handover {2}switch_root to \/sbin\/init/);
  },
);

vmTest(
  "quiet is quiet",
  () => guest("quiet root=LABEL=ROOT"),
  async (vm) => {
    await vm.expect("small-root: init is");
    expect(vm.log().split("small-root:")[0]?.trim()).toBe("");
    await vm.expect("small-root: ready");
    vm.send("echo levels $(cat /proc/sys/kernel/printk); dmesg | grep -c 'levain: '\n");
    await vm.expect(/levels 4 4 1 7\n8\n/);
  },
);

// What rd.log= and the kernel's other levels do is in test/unit/log and test/boot/success.test.ts.
for (const words of ["ignore_loglevel", "rd.debug"]) {
  vmTest(
    `with ${words} the kernel speaks, and no line comes twice`,
    () => guest(`${words} root=LABEL=ROOT`),
    async (vm) => {
      await vm.expect("small-root: ready");
      for (const step of STEPS) {
        const lines = bootLines(vm.log()).filter((line) => new RegExp(`^(\\[.*\\] levain: )? {2}${step} `).test(line));
        expect(lines).toHaveLength(1);
      }
      expect(vm.log()).toContain("EXT4-fs (vda): mounted filesystem");
      expect(vm.log()).toMatch(/^\[.*\] levain: {3}root +\/dev\/vda ext4/m);
    },
  );
}

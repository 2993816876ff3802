import { expect } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import type { RootChanges } from "../support/root-tree.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

async function guest(
  cmdline: string,
  changes: RootChanges = {},
  files: Readonly<Record<string, string>> = {},
): Promise<VmTestOptions> {
  const disks = [await rootImage("ext4", {}, changes)];
  return levainGuest({ image: { files }, disks, cmdline: `root=/dev/vda ${cmdline}` });
}

/** A hook that keeps in the new root what it was told. */
function keepingHook(): string {
  const file = join(scratchDirectory(), "keep");
  writeFileSync(file, '#!/bin/sh\n[ "$1" = before ] || { echo "$LEVAIN_STEP $LEVAIN_ROOT"; cat; } > /sysroot/told\n');
  chmodSync(file, 0o755);
  return file;
}

vmTest(
  "a real init finds what the kernel would have given it",
  () =>
    guest(
      'rw init=/sbin/check-init rd.timeout=9 single word COLOUR="dark red" usb.x=1 quiet -- one "two three" rd.debug',
    ),
  async (vm) => {
    await vm.expect("ARG /sbin/check-init\nARG single\nARG word\nARG one\nARG two three\nARG rd.debug\n");
    await vm.expect("ENV HOME=/\nENV TERM=linux\nENV COLOUR=dark red\n");
    await vm.expect(/check-init: \d+ passed, 0 failed/);
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

const SCRIPT = { text: '#!/bin/sh\necho the-init-is $0 $$\necho it-got "$@" "$(cat <&3)"\nexec /bin/sh\n' };

// The kernel's further choices, and what a root without an init has, are in test/boot/rescue.test.ts.
vmTest(
  "init= names a link through a linked directory to an absolute link of the new root; a writable root gets the directories that it lacks",
  () => {
    const changes: RootChanges = {
      ...{ "/proc": null, "/sys": null, "/run": null, "/dev": null },
      "/opt/my-init": { link: "../l/init" },
      "/l": { link: "/usr/lib/../deep/" },
      "/usr/lib": { directory: true },
      "/usr/deep/init": { link: "/lib/systemd/systemd" },
      "/lib/systemd/systemd": SCRIPT,
    };
    return guest("rw init=/opt/my-init", changes, { "/etc/levain/hooks/mount.d/keep": keepingHook() });
  },
  async (vm) => {
    await vm.expect(/the-init-is \/opt\/my-init 1$/m);
    // Its name is that of systemd, which shows the time of the initramfs in systemd-analyze by this.
    const [line] = await vm.expect(/^it-got --switched-root --system --deserialize 3 initrd-timestamp=\d+ \d+$/m);
    const [sinceEpoch = 0, sinceKernel = 0] = line.split("=")[1]?.split(" ").map(Number) ?? [];
    expect(sinceEpoch / 1e6).toBeGreaterThan(Date.UTC(2020) / 1000);
    expect(sinceKernel / 1e6).toBeWithin(0.1, 200);
    expect(vm.log()).not.toContain("levain:/# ");
    vm.send("cut -c-60 /told\n");
    await vm.expect('mount /sysroot\n{"version":1,"levain":"');
    vm.send("cut -d' ' -f2,3 /proc/mounts | sort | xargs\n");
    await vm.expect(/^\/ ext4 \/dev devtmpfs \/proc proc \/run tmpfs \/sys sysfs$/m);
  },
);

async function dynamicProgram(): Promise<string> {
  const file = join(scratchDirectory(), "dynamic");
  await run(["gcc", "-x", "c", "-o", file, "-"], { stdin: "int main(void) { return 0; }\n" });
  return file;
}

// What needs no linker and no kernel is in test/boot/mounting.test.ts and test/boot/rescue.test.ts.
const REFUSALS: readonly [string, () => Promise<RootChanges> | RootChanges, RegExp][] = [
  [
    "needs a loader that is not there",
    async () => ({ "/sbin/bad": { file: await dynamicProgram() } }),
    /\/sbin\/bad: needs the loader \/lib64\/ld-linux-x86-64\.so\.2, which does not\s+exist/,
  ],
  [
    "is a link in a circle",
    () => ({ "/sbin/bad": { link: "worse" }, "/sbin/worse": { link: "worse" } }),
    /\/sbin\/bad: is a symbolic link to worse, which cannot be resolved/,
  ],
];

/** Each of them has its bad init under a name of its own. */
async function rootOfRefusals(): Promise<RootChanges> {
  const all = REFUSALS.map(async ([, changes], index) =>
    Object.entries(await changes()).map(([path, change]) => [path === "/sbin/bad" ? `${path}${index}` : path, change]),
  );
  return Object.fromEntries((await Promise.all(all)).flat());
}

vmTest(
  `an init is told before anything is given up where it ${REFUSALS.map(([what]) => what).join(", ")}`,
  async () => guest("init=/sbin/bad0", await rootOfRefusals()),
  async (vm) => {
    for (const [index, [, , answer]] of REFUSALS.entries()) {
      if (index > 0) vm.send(`levain retry init=/sbin/bad${index}\n`);
      await vm.expect(`the root's init /sbin/bad${index} cannot be started`);
      await vm.expect(new RegExp(answer.source.replace("bad", `bad${index}`)));
      await vm.expect(PROMPT);
    }
    vm.send("levain retry init=/sbin/init\n");
    await vm.expect("small-root: ready");
  },
);

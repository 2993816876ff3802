import { expect } from "bun:test";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { debianKernel } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { openrcRoot } from "../support/openrc-root.ts";
import type { RootChanges } from "../support/root-tree.ts";
import { DEPMOD } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

// Roots and modules as other distributions lay them out, made of Debian's files. docs/distributions.md has the commands.

/** Builds an image for modules of a layout of its own, and says what `levain image` printed. */
async function imageFor(modulesDir: string): Promise<string> {
  const output = join(scratchDirectory(), "image");
  await run([LEVAIN, "image", "--modules-dir", modulesDir, "--compress", "lz4:1", "--output", output]);
  return output;
}

const SYSTEM = "/nix/store/0a1b2c-nixos-system-nixos-24.05";
const SHELL = "/nix/store/3d4e5f-busybox-1.36.1/bin/sh";
const ETC = "/nix/store/6a7b8c-etc/etc";

// What nixos/modules/system/boot/stage-2-init.sh does that depends on the initramfs.
const STAGE_2 = `#!${SHELL}
echo "<<< NixOS Stage 2 >>>"
mount -n -o remount,rw none /
ln -sfn ${SYSTEM} /run/booted-system
echo "booted $(readlink /run/booted-system), state $(cat /var/lib/state)"
exec setsid cttyhack ${SHELL} -i
`;

/** A root of NixOS: nothing but the store and links to it; a generation is a link to a link. */
const NIXOS: RootChanges = {
  "/sbin/init": null,
  [`${SYSTEM}/init`]: { text: STAGE_2, mode: 0o555 },
  [SHELL]: { link: "/bin/busybox" },
  "/nix/var/nix/profiles/system": { link: "system-42-link" },
  "/nix/var/nix/profiles/system-42-link": { link: SYSTEM },
  [`${ETC}/fstab`]: { text: "/dev/disk/by-label/STATE /var/lib ext4 x-initrd.mount 0 2\n", mode: 0o444 },
  "/etc/static": { link: ETC },
  "/etc/fstab": { link: "/etc/static/fstab" },
  "/var/lib": { directory: true },
};

/** Modules as /run/booted-system has them: two links into the store. Returns the directory of the kernel. */
async function nixosModules(): Promise<string> {
  const { modulesDir, version } = await debianKernel("cloud");
  const root = scratchDirectory();
  const store = join(root, "nix/store/9d0e1f-kernel-modules/lib/modules");
  mkdirSync(store, { recursive: true });
  cpSync(modulesDir, join(store, version), { recursive: true });
  mkdirSync(join(root, "run/booted-system"), { recursive: true });
  symlinkSync(join(store, "../.."), join(root, "run/booted-system/kernel-modules"));
  return join(root, "run/booted-system/kernel-modules/lib/modules", version);
}

vmTest(
  "NixOS: a generation's init, by links into the store, with what is needed for boot from the fstab in the store",
  async () => ({
    initrd: await imageFor(await nixosModules()),
    disks: [
      { file: await rootImage("ext4", { label: "nixos" }, NIXOS) },
      { file: await rootImage("ext4", { label: "STATE" }, { "/state": { text: "kept" } }) },
    ],
    cmdline: "root=LABEL=nixos init=/nix/var/nix/profiles/system/init loglevel=4",
  }),
  async (vm) => {
    await vm.expect("<<< NixOS Stage 2 >>>");
    await vm.expect(`booted ${SYSTEM}, state kept`);
    vm.send("poweroff -f\n");
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);

// alpine-baselayout's inittab, without its gettys.
const INITTAB = `::sysinit:/sbin/openrc sysinit
::sysinit:/sbin/openrc boot
::wait:/sbin/openrc default
::shutdown:/sbin/openrc shutdown
`;
const SERVICE = {
  runlevel: "default",
  start: 'echo "alpine: $(readlink /sbin/init), $(wc -l < /proc/modules) modules from .ko.gz"; (sleep 1; poweroff) &',
};

/** Modules as the modloop has them, below modules/, each compressed with gzip. Returns the directory of the kernel. */
async function alpineModules(): Promise<string> {
  const { modulesDir, version } = await debianKernel("cloud");
  const modloop = scratchDirectory();
  mkdirSync(join(modloop, "lib"));
  mkdirSync(join(modloop, "modules"));
  symlinkSync("../modules", join(modloop, "lib/modules"));
  cpSync(modulesDir, join(modloop, "modules", version), { recursive: true });
  await runScript(`find "$1/modules" -name '*.ko' -print0 | xargs -0 -n 100 gzip -1 && "$3" -b "$1" "$2"`, [
    modloop,
    version,
    DEPMOD,
  ]);
  return join(modloop, "modules", version);
}

const alpineGuest = async () => ({
  initrd: await imageFor(await alpineModules()),
  disks: [
    {
      file: await rootImage(
        "ext4",
        { label: "alpine" },
        {
          ...(await openrcRoot({ work: SERVICE })),
          "/sbin/init": { link: "/bin/busybox" },
          "/etc/inittab": { text: INITTAB, mode: 0o644 },
        },
      ),
    },
  ],
  cmdline: "modules=ext4 rootfstype=ext4 root=LABEL=missing rd.timeout=3",
});

vmTest(
  "Alpine: modules compressed with gzip; a missing root ends in the rescue shell, and retry boots BusyBox's init and OpenRC",
  alpineGuest,
  async (vm) => {
    await vm.expect(PROMPT);
    vm.send("levain retry root=LABEL=alpine\n");
    await vm.expect(/alpine: \/bin\/busybox, [1-9]\d* modules from \.ko\.gz/);
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { logIn } from "../support/debian-system.ts";
import { PASSPHRASE } from "../support/encrypted-volumes.ts";
import { SAME_ADDRESSES } from "../support/guest-words.ts";
import { type KernelDebian, kernelDebian, readBootDirectory } from "../support/kernel-debian.ts";
import { LEVAIN } from "../support/levain-image.ts";
import type { Vm } from "../support/qemu.ts";
import { answer } from "../support/unlocking.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

const MAKE_DEB = join(import.meta.dir, "../../build/packages/package.ts");
const COMMAND_MS = 900_000;
const APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io";
const MOUNT = "mount -o ro /dev/disk/by-id/virtio-media /mnt";

/** Which initramfs is expected. */
type Boot = "levain" | "initramfs-tools";

/** Half an hour is long to wait in silence. */
const report = (text: string) => console.error(`  ${new Date().toTimeString().slice(0, 8)}  ${text}`);

/** Runs a command in the guest, which has to end well, and returns what the console shows meanwhile. */
async function perform(vm: Vm, command: string): Promise<string> {
  report(command);
  const start = vm.log().length;
  vm.send(`${command}; echo performed-$((40 + 2))-$?\n`);
  const [, status] = await vm.expect(/performed-42-(\d+)/, COMMAND_MS);
  const text = vm.log().slice(start);
  expect([status, text]).toEqual(["0", text]);
  return text;
}

/** Boots the newest kernel of the disks as a boot loader would, logs in, and shuts the system down afterwards. */
async function bootSystem(
  { disks, boot, root }: KernelDebian,
  media: string,
  by: Boot,
  body: (vm: Vm, version: string) => Promise<void>,
): Promise<void> {
  const { version, kernel, initrd } = await readBootDirectory(disks.at(-1) ?? "", boot);
  const options = {
    name: `debian-package: ${by}, ${version}`,
    ...{ kernel, initrd, memoryMib: 1024, cmdline: `root=${root} ro ${SAME_ADDRESSES}` },
    disks: [...disks.map((file) => ({ file, keepsWrites: true })), { file: media, serial: "media" }],
  };
  report(`boot: ${by}, ${root}, Linux ${version}`);
  await withVm(options, 4 * COMMAND_MS, async (vm) => {
    if (root.startsWith("/dev/mapper")) await unlock(vm, by);
    await logIn(vm);
    if (by === "levain") expect(vm.log()).toContain(`on Linux ${version}`);
    else expect(vm.log()).not.toContain("levain 0");
    report("logged in");
    await perform(vm, "systemctl --failed --no-legend | tee /dev/stderr | (! grep -q .)");
    await body(vm, version);
    vm.send("systemctl poweroff\n");
    expect(await vm.expectExit(COMMAND_MS)).toMatchObject({ reason: "guest-shutdown" });
  });
}

async function unlock(vm: Vm, by: Boot): Promise<void> {
  if (by === "levain") return void (await answer(vm, PASSPHRASE));
  await vm.expect("Please unlock disk vault", COMMAND_MS);
  vm.send(`${PASSPHRASE}\n`);
}

/** A disk with both packages: the guest has no network. */
async function mediumOf({ newer }: KernelDebian): Promise<string> {
  const directory = scratchDirectory();
  // An emulated processor takes a minute to unpack it.
  const environment = { DPKG_DEB_COMPRESSOR_TYPE: "none" };
  await run([process.execPath, MAKE_DEB, "deb", LEVAIN, directory], { environment });
  const [deb = ""] = readdirSync(directory);
  const image = join(directory, "media");
  await run(["truncate", "-s", "600M", image]);
  await run(["mkfs.vfat", image]);
  await run(["mcopy", "-i", image, join(directory, deb), "::/levain.deb"]);
  await run(["mcopy", "-i", image, newer.deb, "::/kernel.deb"]);
  return image;
}

function copyOf(debian: KernelDebian): KernelDebian {
  const directory = scratchDirectory();
  const disks = debian.disks.map((disk, index) => {
    const copy = join(directory, `${index}-${basename(disk)}`);
    copyDisk(disk, copy);
    return copy;
  });
  return { ...debian, disks };
}

/** The same system with a FAT as its boot partition, which has neither hard nor symbolic links nor owners. */
async function installOnFat(vm: Vm, image: string): Promise<void> {
  const places =
    "mkdir -p /run/fat/upper /run/fat/work && mount -t overlay -o lowerdir=/,upperdir=/run/fat/upper,workdir=/run/fat/work none /srv";
  await perform(vm, `${places} && umount /mnt && mount /dev/disk/by-id/virtio-media /mnt && mkdir /mnt/boot`);
  await perform(vm, `cp /boot/vmlinuz-* /mnt/boot && echo old > /mnt${image} && mount --bind /mnt/boot /srv/boot`);
  await perform(vm, "rm -r /srv/var/lib/levain && levain install --root /srv --program /srv/usr/bin/levain");
  await perform(vm, `grep -qx old /mnt${image}.before-levain && ! grep -qx old /mnt${image}`);
  await perform(vm, "levain uninstall --root /srv || test $? = 1");
  await perform(
    vm,
    `grep -qx old /mnt${image} && ! test -e /mnt${image}.before-levain && umount -R /srv && umount /mnt`,
  );
}

/** A boot partition that is full, and a user who presses Ctrl-C: the last good images stay, and the package of the kernel waits for room. */
async function installWithoutRoom(vm: Vm, { version, newer }: KernelDebian): Promise<void> {
  const check = "test -z \"$(find /boot -name '.*')\" && sha256sum -c sums";
  await perform(vm, "dpkg --force-unsafe-io --unpack /mnt/kernel.deb && sha256sum /boot/initrd.img* > sums");
  await perform(vm, "fallocate -l $(($(stat -f -c '%a * %S' /boot) - 4194304)) /boot/full");
  const refusals = [
    ["dpkg --configure -a", newer.version, "the kernel cannot boot without one"],
    ["update-initramfs -u", version, "is still the one from before"],
  ] as const;
  for (const [command, kernel, state] of refusals) {
    const said = (await perform(vm, `! ${command}`)).replaceAll(/\s+/g, " ");
    for (const text of [`kernel ${kernel} has no new image`, state, "there is no space left"])
      expect(said).toContain(text);
    await perform(vm, check);
  }
  await perform(vm, "rm /boot/full && dpkg --configure -a && sha256sum /boot/initrd.img* > sums");
  vm.send("levain install --kernel all; echo ended-$?\n");
  await vm.expect(/packing: \d+ %/, COMMAND_MS);
  vm.send("\x03");
  await vm.expect(/interrupted: each file and each image is as before or complete[\s\S]*ended-130/, COMMAND_MS);
  await perform(vm, check);
}

test.each(["ext4", "crypt"] as const)(
  "a Debian on %s boots by the package, also a kernel that is installed later, and without it as before",
  async (storage) => {
    const debian = copyOf(await kernelDebian(storage));
    const media = await mediumOf(debian);
    const image = `/boot/initrd.img-${debian.version}`;
    let before = "";
    await bootSystem(debian, media, "initramfs-tools", async (vm) => {
      before = /[0-9a-f]{64}/.exec(await perform(vm, `sha256sum ${image}`))?.[0] ?? "";
      await perform(vm, `${MOUNT} && ${APT} install /mnt/levain.deb`);
      await perform(vm, `test -e ${image}.before-levain && grep -q levain /usr/sbin/update-initramfs`);
    });
    await bootSystem(debian, media, "levain", async (vm, version) => {
      expect(version).toBe(debian.version);
      await perform(vm, `levain status && ${MOUNT}`);
      if (storage === "crypt") await installWithoutRoom(vm, debian);
      await perform(vm, `${APT} install /mnt/kernel.deb`);
      if (storage === "ext4") await installOnFat(vm, image);
      await perform(vm, `test -e /boot/initrd.img-${debian.newer.version}`);
    });
    await bootSystem(debian, media, "levain", async (vm, version) => {
      expect(version).toBe(debian.newer.version);
      await perform(vm, `levain status && ${APT} remove levain`);
      expect(await perform(vm, `sha256sum ${image}`)).toContain(before);
      await perform(vm, "! test -e /etc/kernel/postinst.d/zz-levain && ! test -e /var/lib/levain");
      await perform(
        vm,
        "! grep -q levain /usr/sbin/update-initramfs && ! dpkg-divert --list | grep -q update-initramfs",
      );
    });
    await bootSystem(debian, media, "initramfs-tools", async (vm, version) => {
      expect(version).toBe(debian.newer.version);
      await perform(vm, "! command -v levain");
    });
  },
  2 * QUEUE_TIMEOUT_MS,
);

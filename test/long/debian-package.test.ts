import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { DEBIAN_UUID } from "../support/debian-root.ts";
import { logIn } from "../support/debian-system.ts";
import { type KernelDebian, kernelDebian, readBootDirectory } from "../support/kernel-debian.ts";
import { LEVAIN } from "../support/levain-image.ts";
import type { Vm } from "../support/qemu.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

const MAKE_DEB = join(import.meta.dir, "../../build/packages/package.ts");
const COMMAND_MS = 900_000;
const APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io";

/** Runs a command in the guest, which has to end well, and returns what it prints. */
async function perform(vm: Vm, command: string): Promise<string> {
  vm.send(`${command}; echo performed-$((40 + 2))-$?\n`);
  const [, text = "", status] = await vm.expect(/((?:.*\n)*?.*)performed-42-(\d+)/, COMMAND_MS);
  expect([status, text]).toEqual(["0", text]);
  return text;
}

/** Boots the newest kernel of the disk as its boot loader would, logs in, and shuts the system down afterwards. */
async function bootSystem(disk: string, media: string, name: string, body: (vm: Vm) => Promise<void>): Promise<void> {
  const { kernel, initrd } = await readBootDirectory(disk);
  const disks = [
    { file: disk, keepsWrites: true },
    { file: media, readOnly: true },
  ];
  const cmdline = `root=UUID=${DEBIAN_UUID} ro`;
  await withVm({ name, kernel, initrd, disks, cmdline, memoryMib: 1024 }, 4 * COMMAND_MS, async (vm) => {
    await logIn(vm);
    await body(vm);
    vm.send("systemctl poweroff\n");
    expect(await vm.expectExit(COMMAND_MS)).toMatchObject({ reason: "guest-shutdown" });
  });
}

async function mediumOf({ newer }: KernelDebian): Promise<string> {
  const directory = scratchDirectory();
  await run([process.execPath, MAKE_DEB, "deb", LEVAIN, directory]);
  const [deb = ""] = readdirSync(directory);
  const image = join(directory, "media");
  await run(["truncate", "-s", "400M", image]);
  await run(["mkfs.vfat", image]);
  await run(["mcopy", "-i", image, join(directory, deb), "::/levain.deb"]);
  await run(["mcopy", "-i", image, newer.deb, "::/kernel.deb"]);
  return image;
}

const MOUNT = "mount -o ro /dev/vdb /mnt";

test(
  "a Debian on ext4 boots by the package, also a kernel that is installed later, and without it as before",
  async () => {
    const debian = await kernelDebian();
    const disk = join(scratchDirectory(), "disk");
    copyDisk(debian.disk, disk);
    const media = await mediumOf(debian);
    const image = `/boot/initrd.img-${debian.version}`;
    let before = "";
    await bootSystem(disk, media, "debian-package: initramfs-tools", async (vm) => {
      expect(vm.log()).not.toContain("levain 0");
      before = /[0-9a-f]{64}/.exec(await perform(vm, `sha256sum ${image}`))?.[0] ?? "";
      await perform(vm, `${MOUNT} && ${APT} install /mnt/levain.deb`);
      await perform(vm, `test -e ${image}.before-levain && grep -q levain /usr/sbin/update-initramfs`);
    });
    await bootSystem(disk, media, "debian-package: levain", async (vm) => {
      expect(vm.log()).toContain(`on Linux ${debian.version}`);
      await perform(vm, `levain status && ${MOUNT} && ${APT} install /mnt/kernel.deb`);
      await perform(vm, `test -e /boot/initrd.img-${debian.newer.version}`);
    });
    await bootSystem(disk, media, "debian-package: a new kernel", async (vm) => {
      expect(vm.log()).toContain(`on Linux ${debian.newer.version}`);
      await perform(vm, `levain status && ${APT} remove levain`);
      expect(await perform(vm, `sha256sum ${image}`)).toContain(before);
      await perform(vm, "! test -e /etc/kernel/postinst.d/zz-levain && ! test -e /var/lib/levain");
      await perform(
        vm,
        "! grep -q levain /usr/sbin/update-initramfs && ! dpkg-divert --list | grep -q update-initramfs",
      );
    });
    await bootSystem(disk, media, "debian-package: removed", async (vm) => {
      expect(vm.log()).not.toContain("levain 0");
      await perform(vm, "! command -v levain");
    });
  },
  2 * QUEUE_TIMEOUT_MS,
);

import { expect } from "bun:test";
import { existsSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { levainImage } from "../support/levain-image.ts";
import { smallRoot } from "../support/root-tree.ts";
import { vmTest } from "../support/vm-test.ts";

/** Shares a directory of the host read-only until the guest ends; returns QEMU's arguments. Of package qemu-system-common. */
async function shareByVirtiofs(directory: string, tag: string): Promise<readonly string[]> {
  const socket = join(scratchDirectory(), "virtiofs");
  const options = ["-f", `--socket-path=${socket}`, "-o", `source=${directory}`, "-o", "sandbox=chroot"];
  const server = Bun.spawn(["setpriv", "--pdeathsig", "KILL", "--", "/usr/lib/qemu/virtiofsd", ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  while (!existsSync(socket)) {
    if (server.exitCode !== null) throw new Error(`virtiofsd ended with status ${server.exitCode}`);
    await Bun.sleep(20);
  }
  return [
    ...["-object", "memory-backend-memfd,id=memory,size=512M,share=on", "-numa", "node,memdev=memory"],
    ...["-chardev", `socket,id=virtiofs,path=${socket}`, "-device", `vhost-user-fs-pci,chardev=virtiofs,tag=${tag}`],
  ];
}

vmTest(
  "a directory of the host becomes the root, over virtiofs",
  async () => ({
    initrd: await levainImage({ kernel: "full" }),
    kernel: "full",
    cmdline: "root=virtiofs:host rootfstype=virtiofs",
    extra: await shareByVirtiofs(await smallRoot(), "host"),
  }),
  async (vm) => {
    await vm.expect("virtiofs:host, without a block device");
    await vm.expect("small-root: mount / virtiofs host ro");
    await vm.expect("small-root: ready");
    vm.send("poweroff -f\n");
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);

const FLASH_MIB = 16;
const ERASE_KIB = 64;

/** A disk that block2mtd shows as flash memory: `make` fills the file $1 from the tree $2. */
async function flash(make: string): Promise<string> {
  const file = join(scratchDirectory(), `flash-${Bun.hash(make).toString(16)}`);
  await runScript(make, [file, await smallRoot()]);
  truncateSync(file, FLASH_MIB << 20);
  return file;
}

async function flashGuest(disk: string, modules: readonly string[], cmdline: string) {
  const words = ["virtio_blk", "block2mtd", ...modules].flatMap((name) => ["--module", name]);
  const drivers = `rd.driver.pre=virtio_pci,virtio_blk,block2mtd block2mtd.block2mtd=/dev/vda,${ERASE_KIB}KiB,rootfs`;
  return {
    initrd: await levainImage({ kernel: "full", words }),
    kernel: "full",
    disks: [{ file: disk }],
    cmdline: `${drivers} ${cmdline}`,
  } as const;
}

vmTest(
  "JFFS2 on flash memory becomes the root, by the name of its partition",
  async () =>
    flashGuest(
      await flash(`mkfs.jffs2 --root="$2" --output="$1" --eraseblock=${ERASE_KIB} --little-endian --no-cleanmarkers`),
      ["jffs2"],
      "root=mtd:rootfs rootfstype=jffs2 rw",
    ),
  async (vm) => {
    await vm.expect("mtd:rootfs, without a block device");
    await vm.expect(/small-root: mount \/ jffs2 mtd:rootfs rw/);
    await vm.expect("small-root: ready");
    vm.send("echo kept > /etc/new && sync && cat /etc/new && poweroff -f\n");
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);

vmTest(
  "a volume of UBI becomes the root, with an overlay",
  async () =>
    flashGuest(
      await flash(`mkfs.ubifs -r "$2" -m 8 -e ${ERASE_KIB * 1024 - 128} -c 200 -x none -o "$1.fs"
        printf '[root]\\nmode=ubi\\nimage=%s\\nvol_id=0\\nvol_size=10MiB\\nvol_type=dynamic\\nvol_name=rootfs\\n' "$1.fs" > "$1.ini"
        ubinize -o "$1" -m 1 -p ${ERASE_KIB}KiB "$1.ini"`),
      ["ubifs"],
      "ubi.mtd=rootfs root=ubi0:rootfs rd.overlay",
    ),
  async (vm) => {
    await vm.expect("ubi0:rootfs, without a block device");
    await vm.expect("small-root: mount / overlay");
    await vm.expect("small-root: ready");
    vm.send("grep lower /proc/mounts; poweroff -f\n");
    await vm.expect("ubi0:rootfs /run/levain/lower ubifs ro");
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);

import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { filesImage } from "../support/disk-images.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";

// A root on ext4, with an ext4 image on a FAT stick mounted in it: both are written to, and nothing unmounts them before the exit
// program runs.
const WRITES = `
mount -t vfat /dev/vdb /mnt
mkdir -p /tmp/inner
mount -t ext4 -o loop /mnt/inner.img /tmp/inner
echo written > /tmp/inner/new
echo written > /root/new
sleep 1000 &
ls -l /run/initramfs/shutdown
`;

// What src/shared/switch-root.c of systemd does when systemd-shutdown(8) finds the program.
const LIKE_SYSTEMD = `
mkdir /run/initramfs/oldroot
mount --bind /run/initramfs /run/initramfs
cd /run/initramfs
for name in dev proc sys run; do mkdir -p $name; mount --bind /$name $name; done
pivot_root . oldroot
exec /oldroot/bin/busybox chroot . /shutdown poweroff
`;

// Process 1 stays, as BusyBox's init does while its action "shutdown" runs; so does the root, which it uses.
const AS_LAST_ACTION = "\n/run/initramfs/shutdown poweroff\n";

interface Disks {
  readonly root: string;
  readonly stick: string;
}

/** `unmountsAll`: nothing has to become read-only by force. */
function exitTest(name: string, script: string, unmountsAll: boolean): void {
  const made: Partial<Record<keyof Disks, string>> = {};
  const prepare = async () => {
    const inner = await treeImage("ext4", scratchDirectory());
    const stick = await filesImage("vfat", { "/inner.img": inner });
    const init = { text: `#!/bin/sh${WRITES}${script}` };
    const root = await rootImage("ext4", { label: "ROOT" }, { "/sbin/init": init });
    for (const [key, file] of Object.entries({ root, stick })) {
      const copy = join(scratchDirectory(), key);
      copyDisk(file, copy);
      made[key as keyof Disks] = copy;
    }
    const disks = [made.root, made.stick].map((file = "") => ({ file, keepsWrites: true }));
    // The root has no modules.
    return levainGuest({ disks, cmdline: "root=LABEL=ROOT rw rd.exitrd rd.modules=loop,vfat,nls_cp437,nls_ascii" });
  };
  vmTest(name, prepare, async (vm: Vm) => {
    await vm.expect(/-rwxr-xr-x +1 \S+ +\S+ +\d{4,5} .*shutdown/);
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
    expect(vm.log().includes("Emergency Remount")).toBe(!unmountsAll);
    await checkClean(made as Disks);
  });
}

async function checkClean({ root, stick }: Disks): Promise<void> {
  const inner = join(scratchDirectory(), "inner");
  await run(["fsck.vfat", "-n", stick]);
  expect(await run(["fsck.vfat", "-vn", stick])).not.toContain("Dirty bit is set");
  await run(["mcopy", "-i", stick, "::inner.img", inner]);
  for (const [file, path] of [
    [root, "/root/new"],
    [inner, "/new"],
  ] as const) {
    await run(["e2fsck", "-fn", file]);
    const facts = await run(["dumpe2fs", "-h", file]);
    expect(facts).toMatch(/Filesystem state: +clean\n/);
    expect(facts).not.toContain("needs_recovery");
    expect(await run(["debugfs", "-R", `cat ${path}`, file])).toBe("written\n");
  }
}

exitTest("the exit program leaves all disks clean as the root of process 1", LIKE_SYSTEMD, true);
exitTest(
  "the exit program leaves all disks clean as the last action of an init that keeps the root",
  AS_LAST_ACTION,
  false,
);

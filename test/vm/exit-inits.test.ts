import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { debianImage } from "../support/debian-root.ts";
import { checkSystem, logIn } from "../support/debian-system.ts";
import { flashStick } from "../support/disk-images.ts";
import { PASSPHRASE } from "../support/encrypted-volumes.ts";
import { decryptSectors } from "../support/fake-crypt.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { openrcRoot } from "../support/openrc-root.ts";
import type { Vm } from "../support/qemu.ts";
import { STACKED_UUID, STORE_KEY, stackedDisks } from "../support/stacked-disks.ts";
import { vmTest } from "../support/vm-test.ts";

// Each init powers off in its own way a root that is a loop image on a stick, its changes on ext4 in LUKS on a mirror: nothing of
// that can be unmounted by the system that runs from it.

const BOOT_TIMEOUT_MS = 240_000;
const KEY = "/etc/keys/store";
const WORK = "echo written > /root/new; echo work-$((40 + 2))";

// BusyBox' init: its action "shutdown" (its examples/inittab).
const INITTAB = `::sysinit:/etc/work
::shutdown:/run/initramfs/shutdown unmount
`;

const busyboxRoot = {
  "/sbin/init": { link: "/bin/busybox" },
  "/etc/inittab": { text: INITTAB, mode: 0o644 },
  "/etc/work": { text: `#!/bin/sh\n${WORK}\n(sleep 2; poweroff) &\n` },
};

// As docs/layers.md has it.
const services = {
  work: { runlevel: "default", start: `${WORK}; (sleep 2; openrc-shutdown --poweroff now) &` },
  exitrd: { runlevel: "shutdown", after: "*", start: "/run/initramfs/shutdown unmount" },
};

async function logInAndPowerOff(vm: Vm): Promise<void> {
  await logIn(vm);
  await checkSystem(vm);
  await vm.expect(/boot\.json\s[\s\S]*?lower\s+medium\s[\s\S]*?^overlay\s+rw,/m);
  vm.send(`${WORK}; findmnt -n -o SOURCE /run/levain/store; dmesg -n 7; poweroff\n`);
  await vm.expect("work-42");
}

function initTest(name: string, image: () => Promise<string>, body: (vm: Vm) => Promise<unknown>): void {
  const made: string[] = [];
  const prepare = async () => {
    const key = join(scratchDirectory(), "key");
    writeFileSync(key, PASSPHRASE);
    const files = [await flashStick({ image: await image() }), ...(await stackedDisks("store"))];
    for (const file of files) {
      const copy = join(scratchDirectory(), "disk");
      copyDisk(file, copy);
      made.push(copy);
    }
    const store = `rd.luks.name=${STACKED_UUID.store}=store rd.luks.key=${KEY} rd.overlay=/dev/mapper/store`;
    return levainGuest({
      image: { files: { [KEY]: key } },
      disks: made.map((file) => ({ file, keepsWrites: true })),
      cmdline: `root=LABEL=FLASH rd.image=/newroot.sfs ${store} systemd.show_status=1`,
      memoryMib: 1024,
      timeoutMs: 2 * BOOT_TIMEOUT_MS,
    });
  };
  vmTest(name, prepare, async (vm) => {
    const hash = () => new Bun.CryptoHasher("sha256").update(readFileSync(made[0] ?? "")).digest("hex");
    const before = hash();
    await body(vm);
    expect(await vm.expectExit(BOOT_TIMEOUT_MS)).toMatchObject({ reason: "guest-shutdown" });
    expect(hash()).toBe(before);
    await checkStore(made.slice(1));
  });
}

/** The mirror is clean and its members agree; so is the filesystem in the volume, which has what was written. */
async function checkStore(members: readonly string[]): Promise<void> {
  const reports = await Promise.all(members.map((file) => run(["mdadm", "--examine", file])));
  const facts = reports.map((report) => {
    expect(report).toMatch(/State : clean\n/);
    return [/Events : (\d+)/.exec(report)?.[1], /Array State : (\S+)/.exec(report)?.[1]];
  });
  expect(facts[0]).toEqual(facts[1]);
  const offset = Number(/Data Offset : (\d+) sectors/.exec(reports[0] ?? "")?.[1]);
  const plain = join(scratchDirectory(), "plain");
  writeFileSync(plain, decryptVolume(readFileSync(members[0] ?? "").subarray(offset * 512)));
  await run(["e2fsck", "-fn", plain]);
  const report = await run(["dumpe2fs", "-h", plain]);
  expect(report).toMatch(/Filesystem state: +clean\n/);
  expect(report).not.toContain("needs_recovery");
  expect(await run(["debugfs", "-R", "cat /upper/root/new", plain])).toBe("written\n");
}

/** The content of the LUKS1 volume: its header has the offset of that in sectors (LUKS1 On-Disk Format Specification, 2.3). */
function decryptVolume(volume: Buffer): Uint8Array {
  const data = volume.subarray(volume.readUInt32BE(104) * 512);
  const how = { cipher: "aes-xts-plain64", key: Buffer.from(STORE_KEY), sectorBytes: 512 };
  return decryptSectors(how, data.subarray(0, data.length - (data.length % 512))) ?? data;
}

initTest(
  "systemd starts Debian 12 on squashfs, and then makes the exit program the root of process 1, and all is unmounted, closed and stopped",
  debianImage,
  async (vm) => {
    await logInAndPowerOff(vm);
    // An array that a volume lies on cannot be stopped.
    await vm.expect("md: md9 stopped.", BOOT_TIMEOUT_MS);
    expect(vm.log()).not.toContain("Emergency Remount");
  },
);

initTest(
  "BusyBox' init executes the exit program as its last action",
  () => rootImage("squashfs-zstd", {}, busyboxRoot),
  (vm) => vm.expect("work-42"),
);

initTest(
  "OpenRC executes the exit program as its last service",
  async () => rootImage("squashfs-zstd", {}, await openrcRoot(services)),
  (vm) => vm.expect("work-42"),
);

import { expect } from "bun:test";
import { createCipheriv } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../support/ask.ts";
import { scratchDirectory } from "../support/cache.ts";
import { filesImage, flashStick } from "../support/disk-images.ts";
import { corruptImage, rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";

const FLASH = "root=LABEL=FLASH rd.image=/newroot.sfs";
const BIG_MIB = 200;

/** How many writes the guest has sent to its disks. */
async function countWrites(vm: Vm): Promise<number> {
  const disks = (await vm.monitor("query-blockstats")) as readonly { readonly stats: { wr_operations: number } }[];
  expect(disks.length).toBeGreaterThan(0);
  return disks.reduce((sum, { stats }) => sum + stats.wr_operations, 0);
}

vmTest(
  "scenario A: from a writable USB stick that is never written",
  async () =>
    levainGuest({
      image: { kernel: "full" },
      disks: [{ file: await flashStick(), bus: "usb" }],
      cmdline: `${FLASH} rd.overlay=tmpfs:size=100M`,
      memoryMib: 768,
    }),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/sda1 vfat "FLASH" +\d+ ms$/m);
    await vm.expect(/^ {2}layers +\/newroot\.sfs \(squashfs\) \+ tmpfs 100M at \/sysroot +\d+ ms$/m);
    for (const mount of [
      "/run/levain/medium vfat /dev/sda1 ro,",
      "/run/levain/lower squashfs /dev/loop0 ro,",
      "/run/levain/overlay tmpfs tmpfs rw,relatime,size=102400k,",
      "/ overlay overlay rw,",
    ]) {
      await vm.expect(`small-root: mount ${mount}`);
    }
    await vm.expect("small-root: ready");
    await ask(vm, "cd /run/levain; echo changed > /etc/passwd; cat overlay/upper/etc/passwd", "\nchanged");
    await ask(vm, "head -n1 lower/etc/passwd; ls medium; rm /mnt -r; ls -l overlay/upper", "root::0:0");
    await vm.expect(/newroot\.sfs\s+.*c-+ .* mnt$/ms);
    await ask(vm, "sync; echo all-$((40 + 2))", "all-42");
    expect(await countWrites(vm)).toBe(0);
  },
);

// More ways to name a medium and its image are in test/boot/media.test.ts; ISOs are in media.test.ts.
// The kiosk of docs/layers.md is in untouched.test.ts.

/** A medium with a squashfs of 200 MiB, which nothing can make smaller. */
async function bigMedium(): Promise<string> {
  const file = join(scratchDirectory(), "noise");
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  writeFileSync(file, noise.update(Buffer.alloc(BIG_MIB << 20)));
  const image = await rootImage("squashfs-lz4", {}, { "/noise": { file } });
  return filesImage("iso9660", { "/LiveOS/squashfs.img": image }, { label: "BIG" });
}

vmTest(
  "rd.live.ram shows its progress, and the medium can be removed afterwards",
  async () =>
    levainGuest({
      disks: [{ file: await bigMedium(), id: "stick" }],
      cmdline: "root=live:LABEL=BIG toram",
      memoryMib: 1024,
    }),
  async (vm) => {
    await vm.expect(/copying squashfs\.img to RAM, [\d.]+ \w+ of 20[\d.]+ MiB \(\d+ %\)/);
    await vm.expect(/layers +\/LiveOS\/squashfs\.img \(squashfs, in RAM\) \+ tmpfs at \/sysroot/);
    await vm.expect("small-root: ready");
    expect(vm.log()).not.toContain("mount /run/levain/medium");
    await vm.unplug("stick");
    await ask(vm, "while [ -e /dev/vda ]; do sleep 0.2; done; md5sum /noise", /^[0-9a-f]{32} {2}\/noise$/m);
  },
);

const DAMAGES = [
  ["truncated", /truncated\.sfs is\s+shorter\s+than\s+its\s+superblock\s+says:\s+\d+\s+of\s+\d+\s+bytes\s+are\s+there/],
  ["garbled", /garbled\.sfs is\s+damaged:\s+the\s+inode\s+table\s+is\s+not\s+where\s+its\s+superblock\s+says/],
] as const;

vmTest(
  "a missing image is reported with what the medium has, a truncated and a garbled one in words",
  async () => {
    const image = await rootImage("squashfs-zstd");
    const files: Record<string, string> = { "/old/root.sfs": image };
    for (const [how] of DAMAGES) files[`/${how}.sfs`] = await corruptImage(image, how);
    return levainGuest({ disks: [await filesImage("vfat", files, { label: "FLASH" })], cmdline: FLASH });
  },
  async (vm) => {
    await vm.expect("the medium has no image /newroot.sfs");
    await vm.expect(/seen: .*old/);
    await vm.expect("hint: correct rd.image=");
    await vm.expect(PROMPT);
    for (const [how, words] of DAMAGES) {
      vm.send(`levain retry rd.image=/${how}.sfs\n`);
      await vm.expect(words);
      await vm.expect("hint: copy it");
      await vm.expect(PROMPT);
      await ask(vm, "cat /sys/block/loop0/loop/backing_file || echo the-loop-is-$((0))-now", "the-loop-is-0-now");
      await vm.expect(PROMPT);
    }
    await ask(vm, "levain retry rd.image=/old/root.sfs", "small-root: ready");
  },
);

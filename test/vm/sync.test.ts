import { expect } from "bun:test";
import { join } from "node:path";
import { run } from "../support/command.ts";
import { blankDisk } from "../support/disk-images.ts";
import { guestPrograms } from "../support/guest-programs.ts";
import { packInitramfs } from "../support/initramfs.ts";
import { moduleEntries, packGuest } from "../support/packed-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const MODULES = [
  ...["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"].map(
    (name) => `drivers/virtio/${name}`,
  ),
  ...["drivers/block/virtio_blk", "drivers/block/loop", "drivers/md/dm-mod", "drivers/md/dm-log-writes"],
  "fs/overlayfs/overlay",
];

// Each costs seconds in an emulated guest. More with SYNC_TREES=50 SYNC_CUTS=60, after a change of src/stack/sync.
const TREES = Number(process.env["SYNC_TREES"] ?? 12);
const CUTS = Number(process.env["SYNC_CUTS"] ?? 16);
const TIMEOUT_MS = 600_000;

async function emptyDisk(mib: number): Promise<string> {
  const disk = await blankDisk(mib);
  await run(["mkfs.ext4", "-q", disk]);
  return disk;
}

vmTest(
  "a sync makes a layer equal to what the kernel's overlay shows, and survives power cuts between its writes",
  async () => {
    const initrd = await packInitramfs({
      "/init": { file: await packGuest(join(import.meta.dirname, "../support/sync/guest.ts")) },
      ...(await guestPrograms("/sbin/e2fsck")),
      ...(await moduleEntries("/modules", MODULES)),
    });
    const disks = await Promise.all([64, 16].map(async (mib) => ({ file: await emptyDisk(mib) })));
    return { initrd, disks, cmdline: `quiet TREES=${TREES} CUTS=${CUTS}`, memoryMib: 1024, timeoutMs: TIMEOUT_MS };
  },
  async (vm) => {
    await vm.expect(`sync: ${TREES} trees, ${200 * TREES} changes, 0 differences`, TIMEOUT_MS);
    await vm.expect("read-only: locked true, others EROFS, afterwards EROFS, ro");
    const [, ends = ""] = await vm.expect(/power cuts: \d+ writes, (.*)\n/, TIMEOUT_MS);
    // Both occur: before the journal is complete, and after that.
    expect(ends).toMatch(/^\{("old":\d+,"new":\d+|"new":\d+,"old":\d+)\}\s*$/);
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);

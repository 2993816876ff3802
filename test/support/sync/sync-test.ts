import { expect } from "bun:test";
import { join } from "node:path";
import { run } from "../command.ts";
import { blankDisk } from "../disk-images.ts";
import { guestPrograms } from "../guest-programs.ts";
import { packInitramfs } from "../initramfs.ts";
import { moduleEntries, packGuest } from "../packed-guest.ts";
import { vmTest } from "../vm-test.ts";

const MODULES = [
  ...["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"].map(
    (name) => `drivers/virtio/${name}`,
  ),
  ...["drivers/block/virtio_blk", "drivers/block/loop", "drivers/md/dm-mod", "drivers/md/dm-log-writes"],
  "fs/overlayfs/overlay",
];

async function emptyDisk(mib: number): Promise<string> {
  const disk = await blankDisk(mib);
  await run(["mkfs.ext4", "-q", disk]);
  return disk;
}

/** How much a test of the sync does; each tree and each cut costs seconds in an emulated guest. */
interface Amount {
  readonly trees: number;
  readonly cuts: number;
  readonly timeoutMs: number;
}

/** Defines the test: random overlays are synced, each after 200 changes, and the power fails between the writes of one sync. */
export function testSync({ trees, cuts, timeoutMs }: Amount): void {
  vmTest(
    "a sync makes a layer equal to what the kernel's overlay shows, and survives power cuts between its writes",
    async () => {
      const initrd = await packInitramfs({
        "/init": { file: await packGuest(join(import.meta.dirname, "guest.ts")) },
        ...(await guestPrograms("/sbin/e2fsck")),
        ...(await moduleEntries("/modules", MODULES)),
      });
      const disks = await Promise.all([64, 16].map(async (mib) => ({ file: await emptyDisk(mib) })));
      return { initrd, disks, cmdline: `quiet TREES=${trees} CUTS=${cuts}`, memoryMib: 1024, timeoutMs };
    },
    async (vm) => {
      await vm.expect(`sync: ${trees} trees, ${200 * trees} changes, 0 differences`, timeoutMs);
      await vm.expect("read-only: locked true, others EROFS, afterwards EROFS, ro");
      const [, ends = ""] = await vm.expect(/power cuts: \d+ writes, (.*)\n/, timeoutMs);
      // Both occur: before the journal is complete, and after that.
      expect(ends).toMatch(/^\{("old":\d+,"new":\d+|"new":\d+,"old":\d+)\}\s*$/);
      expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
    },
  );
}

import { expect } from "bun:test";
import { join } from "node:path";
import { FIXTURES, HELLO, PARTITIONS } from "../contract/case.ts";
import { CONTRACT } from "../contract/contract.ts";
import { LINUX_CASES } from "../contract/linux-only.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import { treeImage, uncleanImage } from "../support/filesystem-images.ts";
import { GUEST_ARCHITECTURE } from "../support/guest-architecture.ts";
import { packInitramfs, writeTree } from "../support/initramfs.ts";
import { moduleEntries, packGuest } from "../support/packed-guest.ts";
import { GUEST_BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

const MODULES = [
  ...["drivers/block/loop", "fs/squashfs/squashfs", "fs/overlayfs/overlay"],
  ...["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"].map(
    (name) => `drivers/virtio/${name}`,
  ),
  "drivers/block/virtio_blk",
  "lib/reed_solomon/reed_solomon",
  ...["md-mod", "raid1", "dm-mod", "dm-crypt", "dm-bufio", "dm-integrity", "dm-verity"].map(
    (name) => `drivers/md/${name}`,
  ),
  ...[
    "af_alg",
    "algif_skcipher",
    "ecb",
    "xts",
    "authenc",
    "essiv",
    "xor",
    "async_tx/async_tx",
    "async_tx/async_xor",
  ].map((name) => `crypto/${name}`),
];

const OF_AARCH64 = ["drivers/dax/dax", "arch/arm64/lib/xor-neon"];

function contentTree(): string {
  const directory = scratchDirectory();
  writeTree(directory, {
    "/hello": { text: HELLO, mode: 0o644 },
    "/etc/name": { text: "squashfs\n", mode: 0o644 },
    "/mnt": { directory: true },
  });
  return directory;
}

/** A hundred rules take 20 s in a guest; on a host that is busy, several times as long. */
const TIMEOUT_MS = 240_000;

async function guestOptions() {
  const tree = contentTree();
  const [squashfs, disk] = await Promise.all([treeImage("squashfs-gzip", tree), treeImage("ext4", tree)]);
  const partitioned = join(scratchDirectory(), "partitioned");
  await Bun.write(partitioned, partitionDisk(PARTITIONS).bytes);
  const initrd = await packInitramfs({
    "/init": { file: await packGuest(join(import.meta.dirname, "../contract/guest.ts")) },
    [FIXTURES.busybox]: { file: GUEST_BUSYBOX },
    [FIXTURES.squashfs]: { file: squashfs },
    ...(await moduleEntries(
      FIXTURES.modules,
      GUEST_ARCHITECTURE === "aarch64" ? [...OF_AARCH64, ...MODULES] : MODULES,
    )),
  });
  const unclean = await uncleanImage(disk);
  const verity = join(scratchDirectory(), "verity");
  await run(["mkfs.ext4", "-q", "-b", "4096", "-O", "verity", verity, "8M"]);
  const files = [partitioned, unclean, verity].map((file) => ({ file }));
  const disks = [{ file: disk }, { file: disk, readOnly: true }, ...files];
  return { initrd, cmdline: "quiet", disks, smp: 2, timeoutMs: TIMEOUT_MS };
}

vmTest("the real kernel keeps the contract of the machine", guestOptions, async (vm) => {
  await vm.expect(`contract: ${CONTRACT.length + LINUX_CASES.length} rules, `, TIMEOUT_MS);
  const log = vm.log();
  expect(log.match(/^not ok - [\s\S]*?(?=^(not )?ok - |^contract: )/gm) ?? []).toEqual([]);
  expect(log).toContain("written-to-the-controlling-terminal\n");
  expect(log).not.toContain("job control turned off");
  expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
});

import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { filesImage } from "../support/disk-images.ts";
import { encryptedVolume, keyFile, LUKS_UUID } from "../support/encrypted-volumes.ts";
import { rootImage, uncleanImage } from "../support/filesystem-images.ts";
import type { KernelFlavour } from "../support/kernels.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { debianIso, layerImage } from "../support/live-media.ts";
import type { Vm } from "../support/qemu.ts";
import { JOURNALLED, uncleanDisks } from "../support/unclean-disks.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

// Disks that were not unmounted, and whose files the guest can write to: whatever serves only for reading is hashed before
// and after the boot.

const WARNING = /was not unmounted: levain does not\s+replay its journal, so\s+its newest changes may be missing/;

const hash = (file: string) => new Bun.CryptoHasher("sha256").update(readFileSync(file)).digest("hex");

/** A test that the boot of `options` from copies of these disks writes to none of them. `lines` come on the console, in order. */
function untouchedTest(
  name: string,
  make: () => Promise<{
    readonly disks: readonly string[];
    readonly cmdline: string;
    /** Not all of their filesystems are in Debian's "cloud" kernel. */
    readonly kernel?: KernelFlavour;
  }>,
  lines: readonly (string | RegExp)[],
  body?: (vm: Vm) => Promise<void>,
): void {
  const hashes = new Map<string, string>();
  const prepare = async (): Promise<VmTestOptions> => {
    const { disks, cmdline, kernel = "cloud" } = await make();
    const copies = disks.map((disk, index) => {
      const copy = join(scratchDirectory(), `disk${index}`);
      copyDisk(disk, copy);
      hashes.set(copy, hash(copy));
      return { file: copy, keepsWrites: true };
    });
    const memoryMib = kernel === "full" ? 1024 : 640;
    return levainGuest({ image: { kernel }, disks: copies, cmdline, memoryMib });
  };
  vmTest(name, prepare, async (vm) => {
    for (const line of lines) await vm.expect(line);
    await vm.expect("small-root: ready");
    await body?.(vm);
    vm.send("cat /sys/class/block/vd*/ro; echo ro-$((40 + 2))\n");
    const [, states = ""] = await vm.expect(/\n([01\n]+)ro-42/);
    expect(states).not.toContain("1"); // the real system may write again
    vm.send("echo x > /new; sync; sleep 1; echo synced-$((40 + 2))\n");
    await vm.expect("\nsynced-42");
    await vm.stop();
    for (const [file, before] of hashes) expect(hash(file)).toBe(before);
    expect(hashes.size).toBeGreaterThan(0);
  });
}

/** The five disks; ext4 and XFS carry images. */
async function journalled() {
  const image = await rootImage("squashfs-zstd");
  const extra = await layerImage({ "etc/extra": "extra\n" });
  return uncleanDisks({
    ext4: { "/root.sfs": image, "/extra.sfs": extra },
    xfs: { "/d.iso": await debianIso() },
  });
}

untouchedTest("a stick with an image, and a layer of every filesystem with a journal", async () => {
  const disks = await journalled();
  const layers = JOURNALLED.slice(1).map((type) => `rd.layer=LABEL=${type.toUpperCase()}`);
  const cmdline = `root=LABEL=EXT4 rd.image=/root.sfs rd.layer=/extra.sfs ${layers.join(" ")}`;
  return { disks: JOURNALLED.map((type) => disks[type]), cmdline, kernel: "full" };
}, [
  ...JOURNALLED.map(() => WARNING),
  /mount \/run\/levain\/medium ext4 \/dev\/vda ro,.*\b(?:noload|norecovery)\b/,
  /mount \/run\/levain\/lower\/2 xfs \/dev\/vdb ro,.*\bnorecovery\b/,
  /mount \/run\/levain\/lower\/3 btrfs \/dev\/vdc ro,.*\brescue=nologreplay\b/,
  /mount \/run\/levain\/lower\/4 f2fs \/dev\/vdd ro,/,
  /mount \/run\/levain\/lower\/5 nilfs2 \/dev\/vde ro,.*\bnorecovery\b/,
]);

untouchedTest("a disk with an ISO file that stays mounted, and disks of every other filesystem with a journal that are only searched", async () => {
  const { xfs, ...searched } = await journalled();
  const { ext4, btrfs, f2fs, nilfs2 } = searched;
  return { disks: [f2fs, nilfs2, btrfs, ext4, xfs], cmdline: "boot=live findiso=/d.iso rd.debug", kernel: "full" };
}, [
  // Not all four: the kernel, which speaks of these mounts at the same time, writes into the lines on the serial line.
  /(?:\/dev\/vd[abcd] was not unmounted[\s\S]*?){2}/,
  WARNING,
  /mount \/run\/levain\/medium xfs \/dev\/vde ro,.*\bnorecovery\b/,
]);

untouchedTest(
  "the root of the kiosk of docs/layers.md, below a tmpfs, whose orphaned inode a mount with noload would still delete",
  async () => ({
    disks: [await uncleanImage(await rootImage("ext4", { label: "ROOT" }))],
    cmdline: "root=LABEL=ROOT rw rd.overlay=tmpfs:size=25%",
  }),
  [WARNING, /lower ext4 \/dev\/vda ro,[\s\S]*mount \/ overlay overlay rw,/],
);

untouchedTest(
  "the devices of a key file and of a detached header, of a volume of Argon2i with sectors of 4096 bytes",
  async () => {
    const { volume, header } = await encryptedVolume("apart");
    const headers = await uncleanImage(await filesImage("ext4", { "/apart.header": header }, { label: "HEADERS" }));
    const keys = await uncleanImage(await filesImage("ext4", { "/key": await keyFile() }, { label: "KEYS" }));
    const id = LUKS_UUID.apart;
    const where = `rd.luks.header=${id}=/apart.header:LABEL=HEADERS rd.luks.key=${id}=/key:LABEL=KEYS`;
    return {
      disks: [volume, headers, keys],
      cmdline: `root=/dev/mapper/luks-${id} rd.luks.uuid=${id} rd.luks.data=${id}=/dev/vda ${where}`,
    };
  },
  ["small-root: mount / squashfs /dev/mapper/luks-"],
  async (vm) => {
    expect(vm.log()).not.toContain("passphrase:");
    vm.send("cat /sys/block/dm-0/queue/logical_block_size; grep -c -e vdb -e vdc /proc/mounts\n");
    await vm.expect("\n4096\n0\n");
  },
);

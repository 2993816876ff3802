import { join } from "node:path";
import { assembleDisk, filesImage } from "../test/support/disk-images.ts";
import { encryptedDisks } from "../test/support/encrypted-disks.ts";
import { rootImage } from "../test/support/filesystem-images.ts";
import type { RootChanges } from "../test/support/root-tree.ts";
import type { Family } from "./candidates.ts";
import type { Purpose } from "./chroots.ts";
import { compileStatic } from "./compile-static.ts";

const ROOT_UUID = "be9c40de-0000-4000-8000-000000000001";
const LUKS_UUID = "be9c40de-0000-4000-8000-000000000002";
const LIVE_LABEL = "BENCHLIVE";
// A failed boot must not wait for a user: the guest reboots, which ends QEMU.
const COMMON = "ro panic=1 rd.shell=0 rd.emergency=reboot";

export const PASSPHRASE = "bench";

/** How each tool asks for it. */
export const PROMPTS: Readonly<Record<Family, RegExp>> = {
  levain: /passphrase: $/,
  "initramfs-tools": /Please unlock disk .*: ?$/,
  dracut: /enter passphrase for disk .*: ?/i,
  minimal: /(?!)/,
};

const ROOT = `root=UUID=${ROOT_UUID}`;

/** The parameters of each purpose; tools that are missing here cannot boot it. */
const WORDS: Readonly<Record<Purpose, Readonly<Partial<Record<Family, string>>>>> = {
  disk: { levain: ROOT, "initramfs-tools": ROOT, dracut: ROOT, minimal: ROOT },
  live: {
    levain: `root=LABEL=${LIVE_LABEL} rd.image=/live/filesystem.squashfs rd.overlay`,
    "initramfs-tools": "boot=live nopersistence",
    dracut: `root=live:LABEL=${LIVE_LABEL} rd.live.image rd.live.overlay.overlayfs=1`,
  },
  luks: {
    levain: `${ROOT} rd.luks.uuid=${LUKS_UUID}`,
    "initramfs-tools": `root=/dev/mapper/vault cryptopts=target=vault,source=UUID=${LUKS_UUID}`,
    dracut: `${ROOT} rd.luks.uuid=${LUKS_UUID}`,
  },
};

/** Returns the kernel command line with which a tool boots the disk of a purpose. */
export function sceneWords(family: Family, purpose: Purpose): string {
  return `${WORDS[purpose][family] ?? ""} ${COMMON}`;
}

/**
 * Returns the disk of a purpose: an ext4; a FAT with the same squashfs at the places that live-boot and dracut know; or a LUKS2
 * volume with the ext4, with PBKDF2 and 1000 iterations, so that the derivation costs next to nothing. /sbin/init is mark.c, and
 * there is a udev, which loads the drivers for other hardware.
 */
export async function sceneDisk(purpose: Purpose): Promise<string> {
  const changes = await markChanges();
  if (purpose === "live") {
    const squashfs = await rootImage("squashfs-zstd", {}, changes);
    const files = { "/live/filesystem.squashfs": squashfs, "/LiveOS/squashfs.img": squashfs };
    return filesImage("vfat", files, { label: LIVE_LABEL });
  }
  const root = await rootImage("ext4", { uuid: ROOT_UUID }, changes);
  if (purpose === "disk") return root;
  const disks = await encryptedDisks({
    bench: { type: "luks2", options: `--uuid ${LUKS_UUID}`, keys: [PASSPHRASE], inside: root },
  });
  return disks.bench.volume;
}

/** Returns what makes a small root the one of the benchmark. */
export async function markChanges(): Promise<RootChanges> {
  const mark = await compileStatic(join(import.meta.dir, "mark.c"));
  return { "/sbin/init": { file: mark }, "/lib/systemd/systemd-udevd": { text: "#!/bin/sh\n" } };
}

/** One controller has up to 255 further targets (QEMU's hw/scsi/virtio-scsi.c). */
const TARGETS = 250;

/** A disk with a partition is two devices, as nearly every disk of a machine. */
export const partitionedDisk = async () => assembleDisk([{ file: await otherDisk() }], { table: "gpt" });
const otherDisk = () => rootImage("ext2", { label: "OTHER" });

/** Returns QEMU's arguments for further disks, an ext2 on each by default, on the virtio-scsi controller that the guest has for its root. */
export async function furtherDisks(count: number, content: () => Promise<string> = otherDisk): Promise<string[]> {
  const other = await content();
  return Array.from({ length: count }, (_, index) => {
    const [id, lun] = [1 + (index % TARGETS), Math.floor(index / TARGETS)];
    // QEMU makes the devices that are given as JSON after all others, and the controller is one of them.
    const device = { driver: "scsi-hd", bus: "scsi.0", drive: `more${index}`, "scsi-id": id, lun };
    const drive = `if=none,id=more${index},format=raw,readonly=on,file=${other}`;
    return ["-drive", drive, "-device", JSON.stringify(device)];
  }).flat();
}

import { expect } from "bun:test";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { EFI_NAMES } from "../../src/desk/uki/efi-names.ts";
import { scratchDirectory } from "../support/cache.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { efiPrograms } from "../support/efi-kernel.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { GUEST, GUEST_ARCHITECTURE } from "../support/guest-architecture.ts";
import { debianKernel } from "../support/kernels.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { levainImage } from "../support/levain-image.ts";
import { textFile } from "../support/live-media.ts";
import { vmTest } from "../support/vm-test.ts";

// Discoverable Partitions Specification.
const ROOT_TYPES = {
  x86_64: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
  aarch64: "b921b045-1df0-41c3-af44-4c6f280d3fae",
};
const EFI = EFI_NAMES[GUEST_ARCHITECTURE];
const ROOT_TYPE = ROOT_TYPES[GUEST_ARCHITECTURE];

/** An ext2 root whose label is these bytes: no mkfs would take them all. */
async function labelled(label: Uint8Array): Promise<string> {
  const image = join(scratchDirectory(), "image");
  copyDisk(await rootImage("ext2"), image);
  const file = openSync(image, "r+");
  writeSync(file, label, 0, label.length, 1024 + 0x78); // s_volume_name, 16 bytes
  closeSync(file);
  return image;
}

const bytes = (text: string) => Buffer.from(text, "latin1");

// What the kernel might take for its own, or change; test/boot/root-names.test.ts has more.
const NAMES = '"root=LABEL=  rdinit=/bin/sh" rd.layer=LABEL=Größe rd.overlay=0';

vmTest(
  `the devices of ${NAMES} are found`,
  async () => {
    const labels = [bytes("  rdinit=/bin/sh"), Buffer.from("Größe")];
    const disks = [await rootImage("ext4", { label: "OTHER" }), ...(await Promise.all(labels.map(labelled)))];
    return levainGuest({ disks, cmdline: NAMES });
  },
  async (vm) => {
    await vm.expect("small-root: mount /run/levain/lower/0 ext2 /dev/vdb ro,");
    await vm.expect("small-root: mount /run/levain/lower/1 ext2 /dev/vdc ro,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "labels are printed, and never interpreted by the terminal or by levain",
  async () => {
    const labels = ["\x1b[2J\x07evil\x9b", "\nhint: pay", "  rdinit=/bin/sh", "caf\xe9"].map(bytes);
    return levainGuest({ disks: await Promise.all(labels.map(labelled)), cmdline: "root=LABEL=evil rd.timeout=1" });
  },
  async (vm) => {
    await vm.expect('no device with label "evil" appeared within 1 s');
    await vm.expect(PROMPT);
    for (const shown of ['"\\x1b[2J\\x07evil\\x9b"', '"\\x0ahint: pay"', '"  rdinit=/bin/sh"', '"caf\\xe9"']) {
      expect(vm.log()).toContain(shown);
    }
    expect(vm.log()).not.toMatch(/\x1b\[2J|\x07|^hint: pay/m);
  },
);

/** A disk that firmware boots: systemd-boot on the EFI partition, the kernel and levain's image beside it, and roots of which only the last is meant. */
async function efiDisk(): Promise<string> {
  const { vmlinuz } = await debianKernel("cloud");
  const entry = `title levain\nlinux /vmlinuz\ninitrd /initrd\noptions console=${GUEST.serial} rd.timeout=20\n`;
  const files = {
    [`/EFI/BOOT/${EFI.program}`]: join(await efiPrograms(), EFI.systemdBoot),
    "/loader/loader.conf": await textFile("timeout 0\n"),
    "/loader/entries/levain.conf": await textFile(entry),
    "/vmlinuz": vmlinuz,
    "/initrd": await levainImage(),
  };
  const root = await rootImage("ext4", { label: "SAME" });
  const partitions = [
    { file: await filesImage("vfat", files, { label: "ESP" }), type: "U" },
    { file: root, type: "L" },
    { file: root, type: `${ROOT_TYPE}, attrs="GUID:63"` },
    { file: root, type: ROOT_TYPE },
    { file: root, type: ROOT_TYPE },
  ];
  return assembleDisk(partitions, { table: "gpt" });
}

vmTest(
  "without root= an EFI machine takes the root partition of the disk that its boot loader names",
  async () => {
    const other = [{ file: await rootImage("ext4", { label: "OTHER" }), type: ROOT_TYPE }];
    const disks = [await efiDisk(), await assembleDisk(other, { table: "gpt" })].map((file) => ({ file }));
    return { kernel: null, disks, extra: ["-bios", GUEST.firmware], memoryMib: 1024, timeoutMs: 300_000 };
  },
  async (vm) => {
    await vm.expect(/root +\/dev\/vd[ab]4 ext4 "SAME"/, 240_000);
    await vm.expect(/small-root: mount \/ ext4 \/dev\/vd[ab]4 ro,/);
    await vm.expect("small-root: ready");
    expect(vm.log()).not.toContain("devices match");
  },
);

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../../problems/errors.ts";
import { SECTOR_BYTES } from "../layout.ts";
import type { Workspace } from "../workspace.ts";

/** What GRUB needs to read the menu on a FAT and to start a kernel. */
const MODULES = [
  ...["part_gpt", "part_msdos", "fat", "normal", "configfile", "linux", "search", "search_fs_uuid"],
  ...["echo", "test", "true", "ls", "cat", "halt", "reboot", "serial", "terminal", "all_video"],
];

/** The code of the boot sector, before the partition table. */
const BOOT_CODE_BYTES = 440;
/** Offsets in boot.img (include/grub/i386/pc/boot.h): the sector of the core image, and a jump that distrusts the drive's number. */
const [KERNEL_SECTOR, DRIVE_CHECK] = [0x5c, 0x66];
const NOP = 0x90;
/** The list of the core image's sectors, in its first sector (GRUB's diskboot.S): start, number, segment. */
const BLOCK_LIST = 0x1f4;

/** Makes a GRUB that looks for its menu on the FAT with this serial number; returns the path of the program. Throws BootError. */
export async function makeGrub(
  format: string,
  directory: string,
  fatSerial: string,
  workspace: Workspace,
): Promise<string> {
  const early = workspace.path(`${format}.cfg`);
  const image = workspace.path(`${format}.img`);
  writeFileSync(
    early,
    `search --no-floppy --fs-uuid --set=root ${fatSerial}\nset prefix=($root)/boot/grub\nnormal $prefix/grub.cfg\n`,
  );
  const modules = format === "i386-pc" ? [...MODULES, "biosdisk"] : MODULES;
  const args = ["-O", format, "-d", directory, "-p", "/boot/grub", "-c", early, "-o", image, ...modules];
  await workspace.run("grub-mkimage", "make the boot loader", args);
  return image;
}

/** Returns GRUB's boot sector, and its core image for a place that begins at `start` (bytes): as grub-bios-setup(8) writes them to a device. */
export function embedGrub(directory: string, core: string, start: number) {
  const record = new Uint8Array(readFileSync(join(directory, "boot.img")).subarray(0, BOOT_CODE_BYTES));
  const image = new Uint8Array(readFileSync(core));
  const first = BigInt(start / SECTOR_BYTES);
  if (image.length < 2 * SECTOR_BYTES) throw new BootError("grub-mkimage made no core image");
  new DataView(record.buffer).setBigUint64(KERNEL_SECTOR, first, true);
  record.fill(NOP, DRIVE_CHECK, DRIVE_CHECK + 2);
  new DataView(image.buffer).setBigUint64(BLOCK_LIST, first + 1n, true);
  return { record, image };
}

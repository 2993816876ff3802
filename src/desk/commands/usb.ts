import { dirname } from "node:path";
import { wipe } from "../../crypto/secret.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import { checkWritable } from "../archive/output.ts";
import { command, flag, option } from "../command-line.ts";
import { findBusybox } from "../program/program.ts";
import { writeLine } from "../standard-output.ts";
import { createTerminalVoice } from "../terminal-voice.ts";
import { askNewSecret, askYes, hasTerminal, type NewSecret, readNewSecret } from "../usb/disk/ask.ts";
import { claimDisk, type DiskClaim } from "../usb/disk/claim.ts";
import { describeDisk, findDisk, listContent, refuseUsedDisk, type TargetDisk } from "../usb/disk/disk.ts";
import { writeDevice, writeImageFile } from "../usb/disk/target.ts";
import { readUsbOptions, type UsbOptions } from "../usb/options.ts";
import { chooseLoaders, type Loaders } from "../usb/parts/loaders.ts";
import { requireRootForDebian } from "../usb/root/debian.ts";
import { prepareStick, type StickSummary } from "../usb/stick.ts";
import { withWorkspace } from "../usb/workspace.ts";

/** Where the parts of a stick are until they are written to a disk; /tmp is often in memory. */
const ROOM = "/var/tmp";
const PASSPHRASE: NewSecret = { noun: "passphrase", of: "the stick", option: "key-file" };
const ROOT_PASSWORD: NewSecret = { noun: "password", of: "root", option: "root-password-file" };

/** `levain usb`. */
export const usbCommand = command({
  name: "usb",
  description: "Make a USB stick that boots, from a directory or from this system",
  args: {
    output: option("FILE|DISK", "Write an image file, or overwrite a disk: /dev/sdX", "o"),
    root: option("DIR", "Copy the root filesystem in DIR"),
    "from-running": flag("Copy the running system; needs root"),
    "keep-identity": flag("With --from-running: copy the machine ID and the keys of the SSH server too"),
    mount: option("DIR", "With --from-running: copy the filesystem mounted at DIR too, such as /home; repeatable"),
    debian: option("SUITE", "Install a Debian, by mmdebstrap or debootstrap; needs root"),
    include: option("PACKAGE", "With --debian: install this package too; repeatable"),
    mirror: option("URL", "With --debian: where its packages are"),
    "root-password-file": option(
      "FILE",
      "With --debian: read root's password from FILE (-: standard input); else levain asks",
    ),
    erofs: flag("Make the root an erofs (default: a squashfs)"),
    table: option("gpt|mbr", "Partition table; mbr: one FAT32 partition with the root as a file (default: gpt)"),
    label: option("NAME", "Label of the boot partition (default: LEVAIN)"),
    encrypt: flag("Encrypt the root, and what --persist keeps, by LUKS2"),
    "key-file": option("FILE", "With --encrypt: read the passphrase from FILE (-: standard input); else levain asks"),
    persist: option("SIZE", "Keep changes on a partition of this size (default: changes are lost at shutdown)"),
    verity: flag("Verify every block of the root by dm-verity"),
    size: option("SIZE", "Size of an image file (default: as small as possible)"),
    cmdline: option("PARAMETERS", "Add kernel parameters; repeatable"),
    kernel: option("VERSION", "Use this kernel of the root (default: the running one, or the only one)"),
    "modules-dir": option("DIR", "Read modules from DIR instead of the root's /lib/modules/VERSION"),
    vmlinuz: option("FILE", "Use this kernel file (default: /boot/vmlinuz-VERSION of the root)"),
    efi: option("LOADER", "Boot loader for EFI: systemd-boot, grub or none (default: the first that is installed)"),
    bios: option("LOADER", "Boot loader for BIOS: syslinux, grub or none (default: the first that is installed)"),
    config: option("FILE", "Make the initramfs as FILE says, a levain.toml", "c"),
    init: option("FILE", "Use this levain as /init (default: this program)"),
    busybox: option("FILE", "Use this BusyBox in the initramfs; none: no rescue shell (default: this host's)"),
    keymap: option("NAME", "Keymap in which the passphrase is typed, such as de-latin1; repeatable"),
    compress: option("METHOD[:LEVEL]", "Compress the initramfs with zstd, lz4, gzip, xz or none (default: zstd)"),
    seed: option("TEXT", "Derive all UUIDs from TEXT: the same input and SOURCE_DATE_EPOCH give the same bytes"),
    force: option("DISK", "Overwrite this disk although it is in use or not removable"),
    yes: flag("Overwrite a disk without a question", "y"),
    json: flag("Print JSON"),
  },
  examples: {
    "levain usb --from-running --output /dev/sdX": "Put a copy of this system on a stick",
    "levain usb --root ./tree --output disk.img": "Make an image file of a root filesystem, without root",
    "levain usb --debian bookworm --include openssh-server --persist 4G --encrypt -o /dev/sdX":
      "Install a Debian on an encrypted stick that keeps changes",
  },
  run: async (line, machine) => {
    const options = readUsbOptions(line, process.cwd());
    if (options.root.kind === "debian") requireRootForDebian(options.root.suite);
    // Known after minutes otherwise.
    if (options.image.busybox === null) findBusybox();
    const disk = findDisk(machine, options.output);
    if (disk === null) checkFile(options);
    else refuseUsedDisk(machine, disk, options.force);
    const claim = disk && claimDisk(machine, disk, options.force !== null);
    try {
      const loaders = chooseLoaders(options);
      if (disk !== null && !(await agree(machine, disk, options))) return 1;
      claim?.check();
      const summary = await makeStick(machine, options, loaders, claim);
      writeLine(line.has("json") ? formatJson(options, loaders, summary) : summarize(options, loaders, summary));
      return 0;
    } finally {
      claim?.release();
    }
  },
});

function checkFile({ output, force }: UsbOptions): void {
  if (force !== null) throw new BootError(`--force is for disks, and ${printable(output)} is not a disk`);
  if (output.startsWith("/dev/") && !output.startsWith("/dev/shm/")) {
    throw new BootError(`there is no disk ${printable(output)}`, { hint: "levain devices lists disks" });
  }
  checkWritable(output);
}

/** Shows what will be lost, and asks. Throws BootError if there is no terminal to ask on. */
function agree(machine: Machine, disk: TargetDisk, { isAgreed, size }: UsbOptions): boolean | Promise<boolean> {
  if (size !== null) throw new BootError("--size is for image files: a disk has the size that it has");
  const content = listContent(machine, disk);
  const lost = (content.length > 0 ? content : ["nothing recognised"]).map((text) => `  ${text}\n`);
  process.stderr.write(`${describeDisk(machine, disk)} will be overwritten:\n${lost.join("")}`);
  if (isAgreed) return true;
  if (!hasTerminal()) {
    throw new BootError(`no terminal to ask whether ${printable(disk.node)} may be overwritten`, {
      hint: "add --yes, if everything on it may be lost",
    });
  }
  return askYes("Everything on it will be lost. Continue?");
}

async function makeStick(
  machine: Machine,
  options: UsbOptions,
  loaders: Loaders,
  claim: DiskClaim | null,
): Promise<StickSummary> {
  const { keyFile, output, root } = options;
  const [secrets, voice] = [[] as Uint8Array[], createTerminalVoice(process.stderr)];
  const chooseSecret = async (what: NewSecret, file: string | null) => {
    const secret = file === null ? await askNewSecret(what) : readNewSecret(file, what);
    secrets.push(secret);
    return secret;
  };
  try {
    const passphrase = options.isEncrypted ? await chooseSecret(PASSPHRASE, keyFile) : null;
    const rootPassword = root.kind === "debian" ? await chooseSecret(ROOT_PASSWORD, root.passwordFile) : null;
    return await withWorkspace(
      claim === null ? dirname(output) : (process.env["TMPDIR"] ?? ROOM),
      async (workspace) => {
        const job = {
          ...{ options, loaders, claim },
          ...{ passphrase, rootPassword, machine, workspace, voice },
        };
        const { content, summary } = await prepareStick(job);
        if (claim === null) await writeImageFile(output, content, workspace, voice);
        else await writeDevice(claim, content, voice);
        return summary;
      },
    );
  } finally {
    wipe(...secrets);
    voice.close();
  }
}

function listFirmware({ efi, bios }: Loaders): readonly string[] {
  return [...(efi === null ? [] : [`EFI (${efi.name})`]), ...(bios === null ? [] : [`BIOS (${bios.name})`])];
}

/** Describes a new stick for the user. */
export function summarize({ output, type, isEncrypted }: UsbOptions, loaders: Loaders, summary: StickSummary): string {
  const { layout, parameters, kernel, rootBytes, leftOut } = summary;
  const partitions = layout.partitions.map(({ role, bytes }) => `${role} ${formatBytes(bytes)}`);
  return [
    printable(output),
    `  boots by    ${listFirmware(loaders).join(", ")}`,
    `  kernel      ${printable(kernel)}`,
    `  root        ${type}, ${formatBytes(rootBytes)}${isEncrypted ? ", encrypted" : ""}`,
    `  partitions  ${layout.table}: ${partitions.join(", ")}`,
    `  parameters  ${parameters.join(" ")}`,
    ...leftOut.map((mount, index) => `  ${index === 0 ? "left out    " : "            "}${mount}`),
  ].join("\n");
}

function formatJson({ output, type, isEncrypted, label }: UsbOptions, loaders: Loaders, summary: StickSummary): string {
  const { layout, ...rest } = summary;
  const { table, partitions, bytes } = layout;
  const firmware = { efi: loaders.efi?.name ?? null, bios: loaders.bios?.name ?? null };
  return JSON.stringify({ output, label, type, isEncrypted, firmware, table, bytes, partitions, ...rest }, null, 2);
}

import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { onlyTexts } from "../../formats/text.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { argument, type CommandWords, command, flag, option, UsageError } from "../command-line.ts";
import { type BootImage, readBootImage, releasesOf } from "../kernels/boot-image.ts";
import { readableFile } from "../kernels/from-file.ts";
import { findKernelFile, readArchitecture } from "../kernels/kernel-file.ts";
import { chooseAccelerator } from "../qemu/accelerator.ts";
import { BUSES, type Bus } from "../qemu/disk-devices.ts";
import { provideUefi } from "../qemu/firmware.ts";
import type { GuestOptions } from "../qemu/guest-arguments.ts";
import { openGuestDisk } from "../qemu/guest-disk.ts";
import { OWN_ARCHITECTURE } from "../qemu/machines.ts";
import { type GuestEnd, runGuest } from "../qemu/run-guest.ts";
import { saveFile, withTemporary } from "../temporary.ts";

const MIB = 1 << 20;
/** What an installed system needs beside its initramfs. */
const USUAL_MIB = 1024;
const MOST_CPUS = 4;

/** `levain run`. The exit status is 0 if the guest switched itself off, else 1. */
export const runCommand = command({
  name: "run",
  description: "Boot an image in QEMU, on this terminal",
  args: {
    image: argument("An initramfs or a unified kernel image (default: boot the first disk)", false),
    disk: option("FILE", "Give the guest a disk, an image file or a block device; repeatable"),
    cmdline: option("TEXT", "The kernel command line, without the console"),
    kernel: option("FILE", "Boot this kernel (default: that of the image's modules)"),
    write: flag("Let the guest write to the disks (default: what it writes is discarded)"),
    bus: option("NAME", `Where the guest sees the disks: ${BUSES.join(", ")} (default: virtio)`),
    uefi: flag("Start with UEFI firmware (default: BIOS)"),
    network: flag("Give the guest a network behind this host's"),
    memory: option("MIB", `The guest's memory (default: ${USUAL_MIB}, or what the image needs)`),
  },
  examples: {
    "levain run initramfs-6.1.0-amd64.img --disk stick.img --cmdline 'root=LABEL=STICK'": "Try an image with a stick",
    "levain run --disk stick.img --uefi": "Boot the stick as a UEFI machine would",
    'sudo levain run /boot/initrd.img --disk /dev/nvme0n1 --bus nvme --cmdline "$(cat /proc/cmdline)"':
      "Boot this machine's disk; nothing is written to it",
  },
  run: (line, machine) =>
    withTemporary(async (directory, onSignal) => {
      const options = readOptions(line, machine, directory);
      // console.error is red on a terminal: this is no error.
      process.stderr.write(`${announce(options)}\n`);
      const end = await runGuest(options, directory, { isInteractive: true, onSignal });
      return conclude(end);
    }),
});

function readOptions(line: CommandWords, machine: Machine, directory: string): GuestOptions {
  const [given] = line.words;
  const disks = line.all("disk").map((file) => openGuestDisk(file, readBus(line), line.has("write")));
  if (given === undefined && disks.length === 0) throw new UsageError("Name an image, or a disk with --disk");
  const image = given === undefined ? null : readBootImage(machine, [resolve(given)]);
  const boot = describeBoot(line, machine, image, directory);
  const architecture = (boot.kernel === null ? null : readArchitecture(machine, boot.kernel)) ?? OWN_ARCHITECTURE;
  // The board of AArch64 has no BIOS that could boot a disk.
  const hasUefi = line.has("uefi") || (boot.kernel === null && architecture === "aarch64");
  const uefi = hasUefi ? provideUefi(directory, architecture) : null;
  return {
    architecture,
    accelerator: chooseAccelerator(architecture),
    ...boot,
    disks,
    memoryMib: readMemory(line) ?? Math.max(USUAL_MIB, Math.ceil((image?.inspection.memory.withoutRoot ?? 0) / MIB)),
    cpus: Math.min(MOST_CPUS, availableParallelism()),
    uefi,
    hasNetwork: line.has("network"),
  };
}

function readBus(line: CommandWords): Bus {
  const given = line.one("bus") ?? "virtio";
  const bus = BUSES.find((name) => name === given);
  if (bus === undefined) throw new UsageError(`--bus: expected one of ${BUSES.join(", ")} but received "${given}"`);
  return bus;
}

function readMemory(line: CommandWords): number | null {
  const given = line.one("memory");
  if (given === null) return null;
  if (/^[1-9]\d{1,6}$/.test(given)) return Number(given);
  throw new UsageError(`--memory: expected a number of MiB but received "${given}"`);
}

type BootOptions = Pick<GuestOptions, "kernel" | "initrd" | "cmdline">;

/** Returns what QEMU itself loads. The parts of a unified image go to `directory`, unless the firmware starts it as a whole. */
function describeBoot(line: CommandWords, machine: Machine, image: BootImage | null, directory: string): BootOptions {
  const own = line.one("kernel");
  const cmdline = line.one("cmdline");
  if (image === null) {
    if (own !== null || cmdline !== null) throw new UsageError("--kernel and --cmdline need an image");
    return { kernel: null, initrd: null, cmdline: null };
  }
  const { unified, files } = image;
  const file = files[0] ?? "";
  if (unified === null) {
    const kernel = readableFile(machine, own === null ? findKernel(machine, image) : resolve(own));
    return { kernel, initrd: file, cmdline: cmdline ?? "" };
  }
  if (own !== null) throw new UsageError("--kernel is for an initramfs: a unified kernel image contains a kernel");
  if (line.has("uefi")) return { kernel: file, initrd: null, cmdline };
  const save = (name: string, bytes: Uint8Array) => saveFile(join(directory, name), bytes);
  return {
    kernel: save("linux", unified.linux),
    initrd: save("initrd", image.initrd),
    cmdline: cmdline ?? unified.cmdline ?? "",
  };
}

function findKernel(machine: Machine, image: BootImage): string {
  const releases = releasesOf(image);
  const found = releases.map((release) => findKernelFile(machine, release)).find((file) => file !== null);
  if (found !== undefined && found !== null) return found;
  const [release] = releases;
  const why =
    release === undefined
      ? "the image has no modules that say which one it is for"
      : `this machine has none of version ${releases.map(printable).join(" or ")}`;
  throw new BootError(`cannot find a kernel for the image: ${why}`, { hint: "name its file with --kernel FILE" });
}

function announce({ architecture, accelerator, kernel, memoryMib, uefi, disks }: GuestOptions): string {
  const parts = onlyTexts(
    architecture !== OWN_ARCHITECTURE && architecture,
    accelerator === "kvm" ? "KVM" : "without KVM, so it is slow",
    kernel !== null && `kernel ${printable(kernel)}`,
    `${memoryMib} MiB`,
    uefi !== null && "UEFI",
    disks.some(({ keepsWrites }) => !keepsWrites) && "writes to disks are discarded",
  );
  return `starting QEMU (${parts.join(", ")}); Ctrl-A X ends it`;
}

/** Returns the exit status. Throws BootError if QEMU failed. */
function conclude({ status, reason, panic }: GuestEnd): number {
  if (panic !== null) {
    console.error(`the guest's kernel panicked: ${printable(panic)}`);
    return 1;
  }
  if (status !== 0) throw new BootError(`QEMU failed with status ${status}`, { hint: "QEMU says why above" });
  if (reason === "guest-reset") console.error("the guest rebooted, which ends levain run");
  return reason === "guest-shutdown" ? 0 : 1;
}

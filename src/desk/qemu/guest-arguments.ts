import type { Accelerator } from "./accelerator.ts";
import { type Bus, controllersOf, nameDisks } from "./disk-devices.ts";
import { type Architecture, MACHINES } from "./machines.ts";

/** A disk of a guest. */
export interface GuestDisk {
  /** A raw image, a qcow2 image if the name ends in ".qcow2", or a block device. */
  readonly file: string;
  readonly isDevice: boolean;
  readonly bus: Bus;
  /** Writes go to the file. By default they go to a temporary file, and the disk is opened read-only. */
  readonly keepsWrites: boolean;
}

/** A guest to start. */
export interface GuestOptions {
  readonly architecture: Architecture;
  readonly accelerator: Accelerator;
  /** null: the firmware boots the first disk. */
  readonly kernel: string | null;
  readonly initrd: string | null;
  /** null: the kernel file brings its own, as a unified kernel image does. */
  readonly cmdline: string | null;
  readonly disks: readonly GuestDisk[];
  readonly memoryMib: number;
  readonly cpus: number;
  /** The files of the UEFI firmware, the variables in a copy of their own; null: SeaBIOS. */
  readonly uefi: { readonly code: string; readonly variables: string } | null;
  readonly hasNetwork: boolean;
}

/** Returns QEMU's arguments for a guest, without its console and monitor. */
export function guestArguments(options: GuestOptions): readonly string[] {
  const { architecture, accelerator, kernel, initrd, cmdline, disks, memoryMib, cpus, uefi, hasNetwork } = options;
  const machine = MACHINES[architecture];
  const named = nameDisks(disks);
  const devices = [...controllersOf(disks), ...named.map(({ device }) => device)];
  return [
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-machine", boardOf(options), "-accel", accelerator],
    ...["-cpu", accelerator === "kvm" ? "max" : machine.emulatedCpu, "-m", `${memoryMib}`, "-smp", `${cpus}`],
    ...(uefi === null ? [] : [...flash(0, uefi.code, ",readonly=on"), ...flash(1, uefi.variables, "")]),
    ...(kernel === null ? [] : ["-kernel", kernel]),
    ...(initrd === null ? [] : ["-initrd", initrd]),
    ...(kernel === null || cmdline === null ? [] : ["-append", completeCmdline(cmdline, options)]),
    ...named.flatMap(({ disk, id }) => ["-drive", driveOf(disk, id)]),
    ...devices.flatMap((device) => ["-device", JSON.stringify(device)]),
    ...(hasNetwork ? ["-nic", "user,model=virtio-net-pci"] : []),
  ];
}

/** The last console= is /dev/console: the user's own come last. */
function completeCmdline(cmdline: string, { architecture, accelerator }: GuestOptions): string {
  const { serial, emulatedWords } = MACHINES[architecture];
  return [`console=${serial}`, accelerator === "tcg" ? emulatedWords : "", cmdline].filter(Boolean).join(" ").trim();
}

function boardOf({ architecture, accelerator, kernel, uefi }: GuestOptions): string {
  const { board, uefiBoard } = MACHINES[architecture];
  // KVM emulates only the interrupt controller that the host has.
  if (architecture === "aarch64") return accelerator === "kvm" ? `${board},gic-version=host` : board;
  // Without graphics, SeaBIOS shows the screen of a boot loader on the serial line.
  return `${uefi === null ? board : uefiBoard}${kernel === null ? ",graphics=off" : ""}`;
}

function flash(unit: number, file: string, more: string): readonly string[] {
  return ["-drive", `if=pflash,format=raw,unit=${unit},file=${escapeCommas(file)}${more}`];
}

function driveOf({ file, isDevice, keepsWrites }: GuestDisk, id: string): string {
  const format = !isDevice && file.endsWith(".qcow2") ? "qcow2" : "raw";
  // A disk that is in use may be locked; a view that writes nothing to it needs no lock.
  const access = keepsWrites ? "" : ",snapshot=on,file.locking=off";
  const driver = isDevice ? "host_device" : "file";
  return `if=none,id=${id}-drive,format=${format},file.driver=${driver},file.filename=${escapeCommas(file)}${access}`;
}

/** In QEMU's options a comma is written twice. */
const escapeCommas = (path: string) => path.replaceAll(",", ",,");

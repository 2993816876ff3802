import { listBlockDeviceNames } from "../../../devices/block-devices.ts";
import { isPluggable } from "../../../devices/drives.ts";
import { readAtaSerial } from "../../../devices/persistent-names.ts";
import { runWithin } from "../../../filesystems/run-apart.ts";
import type { Machine } from "../../../machine/machine.ts";
import { readText } from "../../../machine/small-files.ts";
import { orIfRefused, tolerateRefusal } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { UDEV_DATA } from "../../device-mapper/mapping.ts";

const PLACES = ["/sbin/multipath", "/usr/sbin/multipath", "/bin/multipath", "/usr/bin/multipath"];

/** What tables of multipath-tools name; the kernel would ask modprobe(8) for them, which an initramfs need not have. */
const MODULES = [
  ...["dm-mod", "dm-multipath", "dm-service-time", "dm-round-robin", "dm-queue-length"],
  ...["scsi_dh_alua", "scsi_dh_emc", "scsi_dh_rdac", "scsi_dh_hp_sw"],
];

/** The disks that multipath-tools looks at by default; the property is one of those that multipath.conf(5) asks for. */
const DISK = /^(?:sd[a-z]+|nvme\d+n\d+|dasd[a-z]+)$/;

/** Returns the path of multipath(8) in the image, or null. */
export function findMultipath(machine: Machine): string | null {
  return PLACES.find((place) => machine.stat(place)?.kind === "file") ?? null;
}

/** Lists the disks that may be paths, by the kernel's names: those of the machine that have a WWID. A stick may claim any. */
export function listPaths(machine: Machine): readonly string[] {
  const hasWwid = (name: string) => readWwid(machine, name) !== "" && readAtaSerial(machine, name) !== "";
  return listBlockDeviceNames(machine).filter(
    (name) => DISK.test(name) && hasWwid(name) && !isPluggable(machine, { name, partition: null }),
  );
}

function readWwid(machine: Machine, name: string): string {
  const read = (file: string) => orIfRefused(() => readText(machine, `/sys/class/block/${name}/${file}`), "");
  return read("device/wwid") || read("wwid") || read("device/uid");
}

/**
 * Runs multipath(8), in another process, for these disks and no other. Returns why it failed, or null; undefined if it has not answered
 * in time.
 */
export function runMultipath(
  { machine, drivers, voice }: StorageContext,
  program: string,
  disks: readonly string[],
  limitMs: number,
): string | null | undefined {
  for (const module of MODULES) drivers.loadByName(module);
  const entries = disks.flatMap((name) => showToLibudev(machine, name));
  const order = { argv: [program, "-v1"], environment: { DM_DISABLE_UDEV: "1" } };
  const result = runWithin({ machine, voice }, order, limitMs);
  for (const entry of entries) tolerateRefusal(() => machine.removeFile(entry));
  if (result === null) return undefined;
  const { status, output } = result;
  if (status === 0) return null;
  const text = printable(output.trim().split("\n").at(-1) ?? "");
  return text === "" ? `multipath ended with status ${status}` : text;
}

/**
 * Writes the entry in udev's database without which multipath(8) does not see a disk: it lists only what udev has initialized, and
 * ignores what has no World Wide Name there. The WWID itself it reads from the disk; but there are models of SATA disks of which each has
 * the same, and two of them would become one device: these have udev's ID_SERIAL, which comes first.
 */
function showToLibudev(machine: Machine, name: string): readonly string[] {
  // A path may be gone by now.
  const number = orIfRefused(() => readText(machine, `/sys/class/block/${name}/dev`), "");
  const entry = `${UDEV_DATA}/b${number}`;
  if (number === "" || machine.lstat(entry) !== null) return [];
  const serial = readAtaSerial(machine, name);
  machine.makeDirectory(UDEV_DATA);
  machine.writeFile(
    entry,
    `I:1\nE:ID_WWN=${readWwid(machine, name)}\n${serial === null ? "" : `E:ID_SERIAL=${serial}\n`}`,
  );
  return [entry];
}

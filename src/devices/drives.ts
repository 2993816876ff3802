import type { Machine } from "../machine/machine.ts";
import { listOrNone, readText, textOrNone } from "../machine/small-files.ts";
import { orIfRefused } from "../problems/errors.ts";
import { type BlockDevice, listBlockDeviceNames } from "./block-devices.ts";
import { readBlockDevices } from "./read-devices.ts";

/** Devices without content until a program gives them some: not worth a word. */
const IDLE = /^(?:loop|nbd|ram|zram|md|fd|dm-|rbd|drbd)/;

/** Lists the nodes of drives without a medium (card readers, some CD drives) that are not among the devices that were `seen`. */
export function listEmptyDrives(machine: Machine, seen: readonly Pick<BlockDevice, "name">[]): readonly string[] {
  const isSeen = (name: string) => seen.some((device) => device.name === name);
  const names = listBlockDeviceNames(machine).filter((name) => !IDLE.test(name) && !isSeen(name));
  const isEmpty = (name: string) =>
    orIfRefused(() => readText(machine, `/sys/class/block/${name}/size`) === "0", false);
  return names.filter(isEmpty).map((name) => `/dev/${name.replaceAll("!", "/")}`);
}

/** Returns the partitions that the kernel shows of the disk at `node`. */
export function listPartitions(machine: Machine, node: string): readonly BlockDevice[] {
  const names = listBlockDeviceNames(machine);
  const disk = names.find((name) => `/dev/${name.replaceAll("!", "/")}` === node);
  const isOfDisk = (name: string) =>
    orIfRefused(() => machine.readLink(`/sys/class/block/${name}`), "")
      .split("/")
      .at(-2) === disk;
  return disk === undefined ? [] : readBlockDevices(machine, names.filter(isOfDisk)).devices;
}

/** True if the device is on a disk that is usually plugged in by hand: by USB, Thunderbolt, FireWire or eSATA, a memory card, or one whose medium can be removed. */
export function isPluggable(machine: Machine, { name, partition }: Pick<BlockDevice, "name" | "partition">): boolean {
  const directory = `/sys/class/block/${(partition?.disk ?? name).replaceAll("/", "!")}`;
  return orIfRefused(() => {
    const place = machine.readLink(directory);
    if (/\/(?:usb|fw)\d+\//.test(place)) return true;
    if (listPlaces(machine, place).some((each) => isBehindPort(machine, each))) return true;
    if (isExternalSata(machine, place)) return true;
    // Soldered MMC has the type "MMC".
    if (textOrNone(machine, `${directory}/device/type`).trim() === "SD") return true;
    return readText(machine, `${directory}/removable`) === "1";
  }, false);
}

/** Returns the place of a disk below /sys, or of its controllers where the kernel takes them for several paths to it (nvme.multipath). */
function listPlaces(machine: Machine, place: string): readonly string[] {
  const subsystem = /\/devices\/virtual\/nvme-subsystem\/[^/]+(?=\/)/.exec(place)?.[0];
  if (subsystem === undefined) return [place];
  const controllers = listOrNone(machine, `/sys${subsystem}`).filter((name) => /^nvme\d+$/.test(name));
  return controllers.map((name) =>
    machine.readLink(`/sys${subsystem}/${name}`).replace(/^(?:\.\.\/)+(.*)$/, "/devices/$1/"),
  );
}

/**
 * True behind a port that leads out of the machine, as Thunderbolt and USB4 do: Linux 5.14 and newer say so of each PCI device there
 * (Documentation/ABI/testing/sysfs-devices-removable).
 */
function isBehindPort(machine: Machine, place: string): boolean {
  const [, pci] = /(\/devices\/.*\/[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\//.exec(place) ?? [];
  return pci !== undefined && textOrNone(machine, `/sys${pci}/removable`).trim() === "removable";
}

/** Bits of AHCI 1.3.1: in CAP, that there are eSATA ports (SXS); in PxCMD, that the firmware says that this is one (ESP). */
const [HAS_EXTERNAL, IS_EXTERNAL] = [1 << 5, 1 << 21];

/** True behind an eSATA port. Linux 6.10 and newer do not call such a disk removable any more; but libahci shows the registers. */
function isExternalSata(machine: Machine, place: string): boolean {
  const [, host] = /\/ata\d+\/(host\d+)\//.exec(place) ?? [];
  if (host === undefined) return false;
  const register = (name: string) => Number.parseInt(textOrNone(machine, `/sys/class/scsi_host/${host}/${name}`), 16);
  return (register("ahci_host_caps") & HAS_EXTERNAL) !== 0 && (register("ahci_port_cmd") & IS_EXTERNAL) !== 0;
}

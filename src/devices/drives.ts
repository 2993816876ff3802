import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { orIfRefused } from "../problems/errors.ts";
import { type BlockDevice, listBlockDeviceNames } from "./block-devices.ts";
import { readBlockDevices } from "./device-probe.ts";

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

import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { LogicalVolume, VolumeGroup } from "../../../formats/lvm/volume-group.ts";
import type { Machine } from "../../../machine/machine.ts";
import { listOrNone } from "../../../machine/small-files.ts";
import { orIfRefused, tolerateRefusal } from "../../../problems/errors.ts";
import type { StorageContext } from "../../contract.ts";
import { UDEV_DATA } from "../../device-mapper/mapping.ts";

/** Makes the link /dev/GROUP/VOLUME, as udev does. A group with the name of something else in /dev gets none: anyone can name one "disk". */
export function linkVolume(
  { machine, undo }: Pick<StorageContext, "machine" | "undo">,
  group: Pick<VolumeGroup, "name">,
  volume: Pick<LogicalVolume, "name">,
  device: string,
): void {
  const directory = `/dev/${group.name}`;
  if (machine.lstat(directory) !== null && !isOfGroup(machine, directory)) return;
  tolerateRefusal(() => {
    machine.makeDirectory(directory);
    const link = `${directory}/${volume.name}`;
    if (machine.lstat(link) !== null) machine.removeFile(link);
    machine.makeSymlink(`../${device}`, link);
    undo(() => unlinkVolume(machine, group, volume));
  });
}

/**
 * Notes in udev's database which members are arrays that levain has started. lvm2 looks into an array when udev sees it start, and at
 * coldplug only if this entry says that udev did (69-lvm.rules): without it, the real system waits for the other volumes of the group in vain.
 */
export function noteArrays(
  { machine, undo }: Pick<StorageContext, "machine" | "undo">,
  members: Iterable<Pick<BlockDevice, "name" | "number">>,
): void {
  for (const { number } of [...members].filter(({ name }) => /^md\d+$/.test(name))) {
    const entry = `${UDEV_DATA}/b${number}`;
    tolerateRefusal(() => {
      machine.makeDirectory(UDEV_DATA);
      machine.writeFile(entry, "E:LVM_MD_PV_ACTIVATED=1\n");
      undo(() => machine.removeFile(entry));
    });
  }
}

/** Removes the link and, if it was the last one, its directory. */
export function unlinkVolume(
  machine: Machine,
  group: Pick<VolumeGroup, "name">,
  volume: Pick<LogicalVolume, "name">,
): void {
  const directory = `/dev/${group.name}`;
  if (machine.lstat(directory) === null || !isOfGroup(machine, directory)) return;
  const link = `${directory}/${volume.name}`;
  if (machine.lstat(link) !== null) machine.removeFile(link);
  if (listOrNone(machine, directory).length === 0) machine.removeDirectory(directory);
}

/** True for a directory that holds links, and nothing but links to devices of the device mapper. */
function isOfGroup(machine: Machine, directory: string): boolean {
  const links = orIfRefused(() => machine.listDirectory(directory), null, "ENOTDIR");
  const isDevice = (name: string) =>
    /^\.\.\/dm-\d+$/.test(orIfRefused(() => machine.readLink(`${directory}/${name}`), ""));
  const isReserved = ["mapper", "disk"].includes(directory.slice("/dev/".length));
  return !isReserved && links !== null && links.length > 0 && links.every(isDevice);
}

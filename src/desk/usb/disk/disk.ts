import { basename, resolve } from "node:path";
import { describeDevice, namePartition, readSectorSize } from "../../../devices/block-devices.ts";
import { isPluggable } from "../../../devices/drives.ts";
import { readBlockDevices } from "../../../devices/read-devices.ts";
import { readMounts } from "../../../filesystems/mounts.ts";
import type { Machine } from "../../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../../machine/small-files.ts";
import { BootError, orIfRefused } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { formatBytes } from "../../../problems/size.ts";
import { SECTOR_BYTES } from "../layout.ts";

/** A whole disk that will be overwritten. */
export interface TargetDisk {
  readonly node: string;
  /** The kernel's name, as in /sys/class/block. */
  readonly name: string;
  /** Its major and minor number, as "8:16". */
  readonly number: string;
  /** What differs after the stick or its medium was exchanged. */
  readonly identity: string;
  readonly bytes: number;
  /** The kernel's names of its partitions. */
  readonly partitions: readonly string[];
}

const attribute = (machine: Machine, name: string, path: string) =>
  textOrNone(machine, `/sys/class/block/${name}/${path}`).trim();

/** Returns the disk at `path`; null if that is no block device. Throws BootError for a partition, and for a disk that cannot be written. */
export function findDisk(machine: Machine, path: string): TargetDisk | null {
  const status = machine.stat(path);
  if (status?.kind !== "block" || status.represents === null) return null;
  const directory = resolve("/sys/dev/block", machine.readLink(`/sys/dev/block/${status.represents}`));
  const name = basename(directory);
  const refuse = (reason: string, hint: string): never => {
    throw new BootError(`cannot make a stick of ${printable(path)}: ${reason}`, { hint });
  };
  if (machine.stat(`${directory}/partition`) !== null) {
    const disk = directory.split("/").at(-2) ?? "";
    refuse("it is a partition", `name the whole disk: --output /dev/${disk}`);
  }
  const bytes = Number(attribute(machine, name, "size")) * SECTOR_BYTES;
  if (!(bytes > 0)) refuse("there is no medium in it", "plug the stick in again, or choose another one");
  if (attribute(machine, name, "ro") === "1")
    refuse("it is write-protected", "move the switch of the stick, or choose another one");
  const sector = readSectorSize(machine, name);
  if (sector !== SECTOR_BYTES) {
    refuse(`its sectors have ${sector} bytes`, "choose a disk with sectors of 512 bytes: firmware boots from those");
  }
  const partitions = listOrNone(machine, directory).filter(
    (entry) => machine.stat(`${directory}/${entry}/partition`) !== null,
  );
  const number = status.represents;
  return { node: path, name, number, identity: identifyDisk(machine, number), bytes, partitions };
}

/** Returns what differs after a disk was exchanged: Linux 5.15 and newer count disks and media; before, only a port or bus has a new number. */
export function identifyDisk(machine: Machine, number: string): string {
  const directory = `/sys/dev/block/${number}`;
  const place = orIfRefused(() => machine.readLink(directory), "");
  return [place, ...["diskseq", "size"].map((name) => textOrNone(machine, `${directory}/${name}`).trim())].join(" ");
}

/** Says why a disk should not be overwritten, a clause each; empty for a stick that nothing uses. */
export function listObjections(machine: Machine, disk: TargetDisk): readonly string[] {
  const users = [disk.name, ...disk.partitions].flatMap((name) => listUsers(machine, name));
  const isStick = isPluggable(machine, { name: disk.name, partition: null });
  return [...(isStick ? [] : ["it is not a removable disk"]), ...new Set(users)];
}

/** Lists what uses a device: mounts, swap, and the devices of LVM, RAID and device mapper that are made of it, with their users. */
function listUsers(machine: Machine, name: string): readonly string[] {
  const number = attribute(machine, name, "dev");
  const shown = nameOf(machine, name);
  const mounts = readMounts(machine).filter(({ device, source }) => device === number || source === shown);
  const swaps = textOrNone(machine, "/proc/swaps")
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s/)[0]);
  const holders = listOrNone(machine, `/sys/class/block/${name}/holders`);
  return [
    ...mounts.map(({ target }) => {
      const place = printable(target);
      return target === "/" ? `${shown} holds the running system` : `${shown} is mounted at ${place}`;
    }),
    ...(swaps.includes(shown) || swaps.includes(`/dev/${name}`) ? [`${shown} is used as swap`] : []),
    ...holders.flatMap((holder) => [`${shown} is part of ${nameOf(machine, holder)}`, ...listUsers(machine, holder)]),
  ];
}

/** Returns the node of a device: of device mapper, the one with the name. */
function nameOf(machine: Machine, name: string): string {
  const mapped = attribute(machine, name, "dm/name");
  return mapped === "" ? `/dev/${name.replaceAll("!", "/")}` : printable(`/dev/mapper/${mapped}`);
}

/** Throws BootError if a disk should not be overwritten, unless `forced` is its name. */
export function refuseUsedDisk(machine: Machine, disk: TargetDisk, forced: string | null): void {
  if (forced !== null && resolve(forced) !== resolve(disk.node)) {
    throw new BootError(`--force names ${printable(forced)}, but --output ${printable(disk.node)}`, {
      hint: "--force needs the same name as --output",
    });
  }
  const objections = listObjections(machine, disk);
  if (objections.length === 0 || forced !== null) return;
  throw new BootError(`not overwriting ${printable(disk.node)}: ${objections[0]}`, {
    seen: objections.length > 1 ? objections : [describeDisk(machine, disk)],
    hint: `choose another disk (levain devices lists them); --force ${printable(disk.node)} overwrites it anyway`,
  });
}

/** Describes a disk as the user knows it: `/dev/sdb, 14.9 GiB, SanDisk Ultra`. */
export function describeDisk(machine: Machine, { name, node, bytes }: TargetDisk): string {
  const model = ["vendor", "model"]
    .map((file) => attribute(machine, name, `device/${file}`))
    .filter((text) => text !== "");
  const own = `/dev/${name.replaceAll("!", "/")}`;
  const shown = node === own ? node : `${node} (${own})`;
  return [shown, formatBytes(bytes), ...(model.length > 0 ? [model.join(" ")] : [])].map(printable).join(", ");
}

/** Lists what is on a disk, a line each, safe to print. */
export function listContent(machine: Machine, { name, partitions }: TargetDisk): readonly string[] {
  const { devices, unanswered } = readBlockDevices(machine, [name, ...partitions]);
  const lines = devices.flatMap((device) => {
    const { facts, sizeBytes, partition } = device;
    if (partition === null && facts.type === null && facts.partitionTable === null) return [];
    const label = namePartition(machine, device).label;
    const named = label === null || label === "" ? "" : `, "${printable(label)}"`;
    return [`${describeDevice(device)}, ${formatBytes(sizeBytes)}${named}`];
  });
  return [...lines, ...unanswered.map(({ entry }) => `${entry.node} (no answer)`)];
}

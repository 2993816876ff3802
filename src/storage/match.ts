import type { BlockDevice, PartitionName } from "../devices/block-devices.ts";
import { mayHaveLink } from "../devices/persistent-names.ts";
import { type DeviceSpec, decodeUdevName, type FileSpec } from "../parameters/device-spec.ts";

/** Answers what a device's own superblock does not say. */
export interface Look {
  /** The names that only the disk's partition table has. */
  name(device: BlockDevice): PartitionName;
  /** The links that udev would make for it. */
  links(device: BlockDevice): readonly string[];
  /** True if its filesystem holds one of the files. */
  holds(device: BlockDevice, spec: FileSpec): boolean;
}

/** Returns every device that `spec` names, in the order of `devices`; for a search by content only the first. */
export function matchDevices(spec: DeviceSpec, devices: readonly BlockDevice[], look: Look): readonly BlockDevice[] {
  switch (spec.by) {
    case "path":
      return devices.filter(
        (device) =>
          device.node === spec.path ||
          `/dev/${device.name.replaceAll("!", "/")}` === spec.path ||
          (mayHaveLink(device, spec.path) && hasLink(look.links(device), spec.path)),
      );
    case "number":
      return devices.filter((device) => device.number === `${spec.major}:${spec.minor}`);
    case "label":
      return withoutHybrids(devices.filter((device) => device.facts.label === spec.value));
    case "uuid":
      return withoutHybrids(devices.filter((device) => sameId(device.facts.uuid, spec.value)));
    case "luks": // dracut's rd.luks.uuid= accepts the beginning of a UUID
      return devices.filter(
        ({ facts }) => facts.type === "crypto_LUKS" && facts.uuid?.toLowerCase().startsWith(spec.prefix) === true,
      );
    case "partlabel":
      return devices.filter((device) => look.name(device).label === spec.value);
    case "partuuid": {
      const found = findPartuuid(spec.value, devices, look);
      if (spec.partitionOffset === 0) return found;
      return found.flatMap((device) => neighbour(device, spec.partitionOffset, devices));
    }
    case "sibling": {
      const found = matchDevices(spec.of, devices, look).flatMap((device) => partitionOf(device, spec.index, devices));
      return [...new Set(found)]; // two partitions of a disk may have the label, and the same sibling
    }
    case "discoverable":
      return spec.esp === null ? [] : findDiscoverable(spec.esp, spec.type, devices, look);
    case "file": {
      const first = withoutHybrids(devices).find((device) => look.holds(device, spec));
      return first === undefined ? [] : [first];
    }
  }
}

/**
 * An ISO image that was written to a stick shows its filesystem twice, on the disk and on its first partition. The partition is
 * used, because a mount of the whole disk would keep all others (a persistent one) from being mounted.
 */
function withoutHybrids(devices: readonly BlockDevice[]): readonly BlockDevice[] {
  const isHybrid = ({ name, facts }: BlockDevice) =>
    facts.type === "iso9660" &&
    facts.partitionTable !== null &&
    devices.some((other) => other.partition?.disk === name && other.facts.type === "iso9660");
  return devices.filter((device) => !isHybrid(device));
}

/** True if one of the links has this path; either may have udev's escapes. */
function hasLink(links: readonly string[], path: string): boolean {
  const wanted = decodeUdevName(path);
  return links.some((link) => link === path || decodeUdevName(link) === wanted);
}

/** Compares UUIDs without regard to case, as blkid, mount and the kernel do. */
function sameId(have: string | null, wanted: string): boolean {
  return have !== null && have.toLowerCase() === wanted.toLowerCase();
}

function findPartuuid(value: string, devices: readonly BlockDevice[], look: Look): readonly BlockDevice[] {
  return devices.filter((device) => sameId(look.name(device).uuid, value));
}

function neighbour(device: BlockDevice, offset: number, devices: readonly BlockDevice[]): readonly BlockDevice[] {
  const { partition } = device;
  return partition === null ? [] : partitionOf(device, partition.index + offset, devices);
}

/** Partition `index` of the disk that `device` is or lies on. */
function partitionOf(device: BlockDevice, index: number, devices: readonly BlockDevice[]): readonly BlockDevice[] {
  const disk = device.partition?.disk ?? device.name;
  return devices.filter(({ partition }) => partition?.disk === disk && partition.index === index);
}

/** The first partition of the type on the disk, as the Discoverable Partitions Specification says. */
function findDiscoverable(
  esp: string,
  type: string,
  devices: readonly BlockDevice[],
  look: Look,
): readonly BlockDevice[] {
  const disks = findPartuuid(esp, devices, look).flatMap(({ partition }) => partition?.disk ?? []);
  const [first] = devices
    .filter((device) => disks.some((disk) => device.partition?.disk === disk))
    .filter((device) => sameId(look.name(device).autoType, type))
    .sort((one, other) => (one.partition?.index ?? 0) - (other.partition?.index ?? 0));
  return first === undefined ? [] : [first];
}

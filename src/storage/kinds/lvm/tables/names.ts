import type { LogicalVolume, VolumeGroup } from "../../../../formats/lvm/volume-group.ts";

/** Joins names as device mapper knows them, with each dash doubled: "my--vg-root" (dm_build_dm_name of lvm2). */
export function mappingName(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll("-", "--")).join("-");
}

/** Returns the uuid of a volume's device; `layer` marks a device below the one that is used, as "tpool". */
export function mappingUuid(group: Pick<VolumeGroup, "id">, volume: Pick<LogicalVolume, "id">, layer = ""): string {
  const suffix = layer === "" ? "" : `-${layer}`;
  return `LVM-${group.id.replaceAll("-", "")}${volume.id.replaceAll("-", "")}${suffix}`;
}

/** The uuid of any device that lvm2 makes. */
export const VOLUME_UUID = /^LVM-[\dA-Za-z!#]{64}(?:-|$)/;

/** Returns the name of the volume that `name` means: one of that name, or the one in which it is a partition, as kpartx names it ("vm1", "data2p1"). */
export function volumeOfName(volumes: readonly { readonly name: string }[], name: string): string {
  if (volumes.some((volume) => volume.name === name)) return name;
  const isPartition = (volume: string) =>
    name.startsWith(volume) && (/\d$/.test(volume) ? /^p\d+$/ : /^\d+$/).test(name.slice(volume.length));
  return volumes.find((volume) => isPartition(volume.name))?.name ?? name;
}

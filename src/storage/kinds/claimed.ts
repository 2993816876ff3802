import type { BlockDevice } from "../../devices/block-devices.ts";

/** Lists the devices that are mounted with `device`: a btrfs of several may lie on several arrays or volumes. */
export function listParts(device: BlockDevice, present: readonly BlockDevice[]): readonly BlockDevice[] {
  const { type, uuid } = device.facts;
  return type === "btrfs" ? present.filter(({ facts }) => facts.type === type && facts.uuid === uuid) : [device];
}

import type { BlockDevice } from "../../devices/block-devices.ts";
import { printable } from "../../problems/report.ts";

/** True for a filesystem that may have several devices. */
export function isPool(type: string | null): boolean {
  return type === "btrfs" || type === "bcachefs";
}

/** Lists the devices that are mounted with `device`: a btrfs or bcachefs of several may lie on several arrays or volumes. */
export function listParts(device: BlockDevice, present: readonly BlockDevice[]): readonly BlockDevice[] {
  const { type, uuid } = device.facts;
  return isPool(type) ? present.filter(({ facts }) => facts.type === type && facts.uuid === uuid) : [device];
}

/** `2 of 3 devices of btrfs "pool" are present: /dev/vda, /dev/vdb`. */
export function describePresent(
  { facts }: BlockDevice,
  count: number,
  total: number,
  nodes: readonly string[],
): string {
  const name = printable(facts.label ?? facts.uuid ?? "");
  return `${count} of ${total} devices of ${facts.type} "${name}" ${count === 1 ? "is" : "are"} present: ${nodes.join(", ")}`;
}

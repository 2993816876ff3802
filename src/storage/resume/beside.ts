import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Machine } from "../../machine/machine.ts";
import { listBelow } from "../device-mapper/mapping.ts";

/** Returns the devices with a hibernated system that share a disk with `device`. */
export function listHibernatedBeside(
  machine: Machine,
  device: BlockDevice,
  inventory: ReadonlyMap<string, BlockDevice>,
): readonly BlockDevice[] {
  const hibernated = [...inventory.values()].filter(({ facts }) => facts.type === "swsuspend");
  if (hibernated.length === 0) return [];
  const disksOf = (name: string): readonly string[] => {
    const disk = inventory.get(name)?.partition?.disk;
    const below = disk === undefined ? listBelow(machine, name) : [disk];
    return below.length === 0 ? [name] : below.flatMap(disksOf);
  };
  const disks = disksOf(device.name);
  return hibernated.filter((other) => other !== device && disksOf(other.name).some((disk) => disks.includes(disk)));
}

import type { DeviceSpec } from "../config/plan.ts";
import type { BlockDevice, PartitionName } from "./block-devices.ts";

/** How a matcher learns the names that only the disk's partition table knows. */
export type Namer = (device: BlockDevice) => PartitionName;

/** Every device that `spec` names, in the order of `devices`. */
export function matchDevices(spec: DeviceSpec, devices: readonly BlockDevice[], name: Namer): readonly BlockDevice[] {
  switch (spec.by) {
    case "path":
      return devices.filter((device) => device.node === spec.path);
    case "number":
      return devices.filter((device) => device.number === `${spec.major}:${spec.minor}`);
    case "label":
      return devices.filter((device) => device.facts.label === spec.value);
    case "uuid":
      return devices.filter((device) => sameId(device.facts.uuid, spec.value));
    case "partlabel":
      return devices.filter((device) => name(device).label === spec.value);
    case "partuuid": {
      const found = devices.filter((device) => sameId(name(device).uuid, spec.value));
      return spec.partitionOffset === 0
        ? found
        : found.flatMap((device) => neighbour(device, spec.partitionOffset, devices));
    }
  }
}

/** UUIDs are compared without regard to case, as blkid, mount and the kernel do. */
function sameId(have: string | null, wanted: string): boolean {
  return have !== null && have.toLowerCase() === wanted.toLowerCase();
}

function neighbour(device: BlockDevice, offset: number, devices: readonly BlockDevice[]): readonly BlockDevice[] {
  const { partition } = device;
  if (partition === null) return [];
  return devices.filter(
    (other) => other.partition?.disk === partition.disk && other.partition.index === partition.index + offset,
  );
}

import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { IntegrityVolume } from "../../../parameters/crypt/integrity.ts";
import type { DeviceSpec } from "../../../parameters/device-spec.ts";
import type { StorageContext } from "../../contract.ts";
import { liesOnStick } from "../../trust.ts";

/** The devices of a volume. */
export interface IntegrityParts {
  /** With the superblock, the journal and the checksums. */
  readonly device: BlockDevice;
  /** With the data: mostly the same one. */
  readonly data: BlockDevice;
}

/**
 * Lists the devices that a volume may consist of. Anyone can give a stick the names of a disk, so those on a stick come last, and half
 * a volume on a stick does not belong to a half on a disk of the machine.
 */
export function listParts(
  { find, machine }: StorageContext,
  { device: spec, options: { dataDevice } }: IntegrityVolume,
): readonly IntegrityParts[] {
  const all = find(spec)
    .filter(({ facts }) => facts.type === "DM_integrity")
    .flatMap((device): readonly IntegrityParts[] => {
      if (dataDevice === null) return [{ device, data: device }];
      const isOnStick = liesOnStick(machine, device.name);
      return find(dataDevice)
        .filter((data) => data !== device && liesOnStick(machine, data.name) === isOnStick)
        .map((data) => ({ device, data }));
    });
  const { true: plugged = [], false: own = [] } = Object.groupBy(all, (parts) =>
    arePluggable(machine, parts) ? "true" : "false",
  );
  return [...own, ...plugged];
}

/** True if the devices, both or neither, were probably plugged in by hand. */
export function arePluggable(machine: StorageContext["machine"], { device }: IntegrityParts): boolean {
  return liesOnStick(machine, device.name);
}

/** True if a parameter names the volume by names that another disk can have as well. */
export function isCopyable({ device, options: { dataDevice } }: IntegrityVolume): boolean {
  const isUnique = (spec: DeviceSpec) => spec.by === "path" || spec.by === "number";
  return !isUnique(device) || (dataDevice !== null && !isUnique(dataDevice));
}

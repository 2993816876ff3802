import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import { ofType } from "../../../devices/of-type.ts";
import { rememberEach } from "../../../devices/remember.ts";
import { type BcacheDevice, readBcacheDevice } from "../../../formats/containers/bcache.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import type { StorageContext } from "../../contract.ts";
import { liesInVolume, liesOnStick } from "../../trust.ts";

/** A device of bcache that is present. */
export interface Member {
  readonly device: BlockDevice;
  readonly info: BcacheDevice;
}

/** Finds the devices of bcache among those that are present. */
export function createMembers({ machine, devices }: Pick<StorageContext, "machine" | "devices">) {
  // null if it cannot be read: the device is gone.
  const readMember = rememberEach(({ facts, node }: BlockDevice): BcacheDevice | null =>
    facts.type === "bcache" ? orIfRefused(() => withReader(machine, node, readBcacheDevice), null) : null,
  );

  const list = () =>
    ofType(devices(), "bcache").flatMap((device): readonly Member[] => {
      const info = readMember(device);
      return info === null ? [] : [{ device, info }];
    });
  return {
    list,
    /** True for a device on a stick whose cache set has the UUID of one that a disk of the machine belongs to: the kernel would attach each of them to either. */
    isCopy: ({ device, info }: Member): boolean =>
      liesOnStick(machine, device.name) &&
      list().some((other) => other.info.set === info.set && !liesOnStick(machine, other.device.name)),
    /**
     * Lists the caches of a backing device. UUIDs are public, and a cache decides what is read: one outside encrypted volumes is
     * not that of a backing device inside, nor one on a stick that of a disk of the machine.
     */
    cachesOf({ device, info }: Member): readonly Member[] {
      const isInside = liesInVolume(machine);
      const isTrusted = (cache: BlockDevice) =>
        isInside(cache) === isInside(device) &&
        (liesOnStick(machine, device.name) || !liesOnStick(machine, cache.name));
      return list().filter(
        ({ device: cache, info: own }) => own.role === "cache" && own.set === info.set && isTrusted(cache),
      );
    },
  };
}

/** True if the device had a cache when it was used last. */
export function isAttached({ info: { state } }: Member): boolean {
  return state === "clean" || state === "dirty";
}

/** Says which cache set a backing device lacks. */
export function describeLack({ info }: Member): string {
  return `the cache set ${info.set} is missing`;
}

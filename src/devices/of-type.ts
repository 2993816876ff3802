import type { BlockDevice } from "./block-devices.ts";

/** Lists of devices do not change, so this is only remembered, not state. */
const groups = new WeakMap<readonly BlockDevice[], ReadonlyMap<string | null, readonly BlockDevice[]>>();

/** Returns the devices of a list whose content is of that type. A list is gone through once, however many types are asked for: of hundreds of disks each is asked for in every round of a search. */
export function ofType(devices: readonly BlockDevice[], type: string): readonly BlockDevice[] {
  const known = groups.get(devices) ?? Map.groupBy(devices, ({ facts }) => facts.type);
  groups.set(devices, known);
  return known.get(type) ?? [];
}

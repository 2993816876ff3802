import type { BlockDevice } from "../devices/block-devices.ts";
import type { Inventory } from "../devices/inventory.ts";
import type { Assembly, DeviceState, Link, Round } from "./contract.ts";

/** All assemblies of a search as one, and what their links say about devices. */
export interface Assemblies extends Required<Assembly> {
  /** The device that replaces `device`; null if it was not opened. */
  inside(device: BlockDevice): BlockDevice | null;
  /** What was opened in `device`, and in that, as far as it goes; else `device` itself. */
  innermost(device: BlockDevice): BlockDevice;
  /** The volumes that a device lies in, the innermost first. */
  containersOf(device: BlockDevice): readonly BlockDevice[];
  /** The devices, but of the members of one filesystem only the first of its link. */
  oneOfEach(devices: readonly BlockDevice[]): readonly BlockDevice[];
}

/** Joins assemblies, in their order; `list` may be filled later. */
export function joinAssemblies(list: readonly Assembly[], inventory: Inventory): Assemblies {
  const links = () => list.flatMap((assembly) => assembly.links?.() ?? []);
  const present = (name: string | null | undefined) => inventory.get(name ?? "") ?? null;
  const inside = ({ name }: BlockDevice) =>
    present(links().find(({ from, isReplacement }) => isReplacement && from.includes(name))?.to);
  const innermost = (device: BlockDevice): BlockDevice => {
    const next = inside(device);
    return next === null ? device : innermost(next);
  };
  // Of a root on 64 disks among 500 the links are asked for once: each kind goes through all devices for its own.
  const containersAmong = (all: readonly Link[], device: BlockDevice): readonly BlockDevice[] => {
    const disk = { from: [device.partition?.disk ?? ""], isReplacement: false };
    const below = [...all.filter(({ to }) => to === device.name), disk];
    const found = below.flatMap(({ from, isReplacement }) =>
      from
        .flatMap((name) => present(name) ?? [])
        .filter((outer) => !list.some((assembly) => assembly.isShown?.(outer) ?? false))
        .flatMap((outer) => [...(isReplacement ? [outer] : []), ...containersAmong(all, outer)]),
    );
    return [...new Set(found)];
  };
  return {
    links,
    inside,
    innermost,
    containersOf: (device) => containersAmong(links(), device),
    oneOfEach(devices) {
      const pools = links().filter(({ to }) => to === null);
      const nameOf = (device: BlockDevice) => {
        const pool = pools.find(({ from }) => from.includes(device.name));
        return pool?.from.find((name) => devices.some((one) => one.name === name)) ?? device.name;
      };
      const names = [...new Set(devices.map(nameOf))];
      return names.flatMap((name) => devices.find((one) => one.name === name) ?? []);
    },
    advance(candidate) {
      let result: Round = "idle";
      for (const assembly of list) {
        const round = assembly.advance(candidate);
        if (round === "changed") return round;
        if (round !== "idle") result = round;
      }
      return result;
    },
    state: (device) =>
      list.reduce((state: DeviceState | null, assembly) => state ?? assembly.state?.(device) ?? null, null),
    mountSource: (device) =>
      list.reduce((source: string | null, assembly) => source ?? assembly.mountSource?.(device) ?? null, null),
    isShown: (device) => list.some((assembly) => assembly.isShown?.(device) === true),
    problems: () => list.flatMap((assembly) => assembly.problems?.() ?? []),
    ...joinWaits(list),
    required: () => list.flatMap((assembly) => assembly.required?.() ?? []),
    ...joinEnds(list),
  };
}

/** How assemblies keep what is used, and end. */
function joinEnds(list: readonly Assembly[]): Required<Pick<Assembly, "claim" | "stopUnused" | "close">> {
  const stopUnused = () => {
    for (const assembly of list) assembly.stopUnused?.();
  };
  return {
    claim(device) {
      for (const assembly of list) assembly.claim?.(device);
    },
    stopUnused,
    close() {
      stopUnused();
      for (const assembly of list) assembly.close?.();
      stopUnused();
    },
  };
}

/** What assemblies wait for, and what they do then. */
function joinWaits(list: readonly Assembly[]): Required<Pick<Assembly, "dueMs" | "seen" | "lastResort">> {
  return {
    dueMs: () => Math.min(...list.map((assembly) => assembly.dueMs?.() ?? Number.POSITIVE_INFINITY)),
    seen: () => list.flatMap((assembly) => assembly.seen?.() ?? []),
    lastResort() {
      for (const assembly of list) assembly.lastResort?.();
    },
  };
}

import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { Settings } from "../parameters/parameters.ts";
import { rootTypeOf } from "./gpt-types.ts";

/** Where the root filesystem comes from. */
export type RootSource =
  /** A block device: root=, then each rootfallback=, in the order to try; at least one. */
  | { readonly kind: "block"; readonly devices: readonly DeviceSpec[] }
  /** Nowhere: the initramfs is the final system. */
  | { readonly kind: "none" };

/** What the root depends on besides the parameters, as in PlanInput. */
export interface RootSurroundings {
  readonly machine: string;
  readonly findEsp: () => string | null;
}

/** Decides where the root comes from. `devices` are those that root= names, or the parameters of a live medium. */
export function decideRoot(
  { root, rootFallbacks, handover, gptAuto }: Settings,
  devices: readonly DeviceSpec[],
  { machine, findEsp }: RootSurroundings,
): RootSource {
  if (root?.device === null || handover === "stay") return { kind: "none" };
  const named = [...devices, ...rootFallbacks];
  const isAuto = root?.device === "auto" || (named.length === 0 && gptAuto !== false);
  const type = isAuto ? rootTypeOf(machine) : null;
  const esp = type === null ? null : findEsp();
  const isFound = type !== null && (esp !== null || root !== undefined);
  const all: readonly DeviceSpec[] = isFound ? [{ by: "discoverable", esp, type }, ...named] : named;
  return all.length === 0 ? { kind: "none" } : { kind: "block", devices: all };
}

/** Returns the block devices that the root may be, in the order to try; none if it is no block device. */
export function rootDevices(root: RootSource): readonly DeviceSpec[] {
  return root.kind === "block" ? root.devices : [];
}

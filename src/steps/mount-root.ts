import type { BootPlan } from "../config/plan.ts";
import type { Machine } from "../machine/machine.ts";
import type { Voice } from "../voice.ts";
import type { BlockDevice } from "./block-devices.ts";
import { checkFilesystem } from "./check-filesystem.ts";
import { type FilesystemLoader, mountDevice } from "./mount.ts";
import { lowerPlace, PLACES, type Undo } from "./places.ts";
import { liesInVolume } from "./trust.ts";

/** Where the root device was mounted, by which type, and whether it may be written. */
export interface MountedDevice {
  /** "/dev/…". */
  readonly node: string;
  readonly target: string;
  readonly type: string;
  readonly writable: boolean;
  /** True where it lies in an encrypted volume. */
  readonly isInside: boolean;
}

/** Mounts the root device where the layers expect it: as the medium of an image, as the lower layer of an overlay, or as the root itself. Only what is used as the root itself is checked: a medium or a lower layer is never written. */
export function mountRoot(
  machine: Machine,
  plan: BootPlan,
  device: BlockDevice,
  tools: { readonly modules: FilesystemLoader; readonly voice: Voice; readonly undo: Undo },
): MountedDevice {
  const { modules, voice, undo } = tools;
  const layerCount = 1 + plan.layers.length;
  const below = plan.overlay === null && layerCount === 1 ? PLACES.root : lowerPlace(0, layerCount);
  const target = plan.image === null ? below : PLACES.medium;
  const writable = plan.rootWritable && target === PLACES.root;
  if (target === PLACES.root) checkFilesystem(machine, device, plan.rootCheck, voice);
  const order = { device, target, types: plan.rootTypes, writable, options: plan.rootOptions };
  const type = mountDevice(machine, order, modules, voice);
  undo(() => machine.unmount(target));
  return { node: device.node, target, type, writable, isInside: liesInVolume(machine)(device) };
}

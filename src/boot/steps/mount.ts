import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Undo } from "../../drivers/context.ts";
import { checkFilesystem } from "../../filesystems/check.ts";
import { type FilesystemLoader, type MountedDevice, mountDevice } from "../../filesystems/mount.ts";
import { lowerPlace, PLACES } from "../../filesystems/places.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { Voice } from "../../problems/voice.ts";
import { liesInVolume } from "../../storage/trust.ts";

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

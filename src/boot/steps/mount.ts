import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { checkFilesystem } from "../../filesystems/check.ts";
import { type MountedDevice, mountDevice } from "../../filesystems/mount.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { planBase, ROOT } from "../../stack/root-stack.ts";
import { liesInVolume } from "../../storage/trust.ts";

/** Mounts the root device at its place in the stack. It is checked first only if it is the root itself: nothing else is ever written. */
export function mountRoot(context: Context, plan: BootPlan, device: BlockDevice): MountedDevice {
  const { source: target } = planBase(plan);
  const { rootTypes: types, rootWritable: writable, rootOptions: options } = plan;
  if (target === ROOT) checkFilesystem(context, device, plan.rootCheck);
  const type = mountDevice(context, { device, target, types, writable, options, role: "root" });
  return { node: device.node, target, type, writable, isInside: liesInVolume(context.machine)(device) };
}

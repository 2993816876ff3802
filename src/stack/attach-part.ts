import type { Context } from "../drivers/context.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { BootPlan } from "../plan/plan.ts";
import type { VainSearch } from "../problems/diagnoses/storage.ts";
import { type Attached, attachDevice } from "../storage/attach.ts";

/** Waits for a block device that is a part of the root besides the root device, and unlocks it by `crypt`. `what` names it in a report. Throws BootError. */
export function attachPart(
  context: Context,
  { rootTimeoutMs, crypt, keymap }: Pick<BootPlan, "rootTimeoutMs" | "crypt" | "keymap">,
  device: DeviceSpec,
  what: Pick<VainSearch, "wanted" | "name">,
): Attached {
  const wish = { roots: [device], rootTimeoutMs, rootOptions: "", image: null, layers: [], crypt, keymap };
  return attachDevice(context, wish, what);
}

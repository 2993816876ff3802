import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { checkFilesystem } from "../../filesystems/check.ts";
import { type MountedDevice, mountDevice } from "../../filesystems/mount.ts";
import { isMounted } from "../../filesystems/mounts.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { StepName } from "../../parameters/values.ts";
import { cryptForRoot } from "../../plan/overlay.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import { headline } from "../../problems/report.ts";
import { stackRoot } from "../../stack/layers.ts";
import { planBase, ROOT } from "../../stack/root-stack.ts";
import { attachDevice, describeAttached } from "../../storage/attach.ts";
import type { Tries } from "../../storage/contract.ts";
import { liesInVolume } from "../../storage/trust.ts";
import type { RunStep } from "../step-runner.ts";

/** A context without the undo, which each step has of its own, and what runs the steps. */
export interface Steps extends Omit<Context, "undo"> {
  /** Runs a step once, however often the boot is retried. */
  readonly step: RunStep;
  /** Forgets every step from `name` on and reverts what they did. */
  readonly rewind: (name: StepName) => void;
}

const BY_HAND = `what was mounted by hand at ${ROOT}`;

/** Finds, mounts and stacks the root. If the user of a rescue shell has mounted one at /sysroot, the boot uses that and skips the rest of these steps. */
export function attachAndStack(steps: Steps, plan: BootPlan, devices: readonly DeviceSpec[]): void {
  const isDoneByHand = () => isMounted(steps.machine, ROOT);
  const rootPlan = { ...plan, crypt: cryptForRoot(plan) };
  const mounted = attachAndMount(steps, { ...rootPlan, roots: devices }, isDoneByHand);
  steps.step(
    "layers",
    (undo) => {
      const isByHand = mounted === null || (mounted.target !== ROOT && isDoneByHand());
      return isByHand ? BY_HAND : stackRoot({ ...steps, undo }, plan, mounted);
    },
    (layers) => layers,
  );
}

/** Finds and mounts the root. If only a mount proves that a device was opened correctly, and it fails, the user is asked again. */
function attachAndMount(
  { step, rewind, ...rest }: Steps,
  plan: BootPlan & { readonly roots: readonly DeviceSpec[] },
  isDoneByHand: () => boolean,
): MountedDevice | null {
  const tries: Tries = new Map();
  for (;;) {
    const attached = step(
      "root",
      (undo) => (isDoneByHand() ? null : attachDevice({ ...rest, undo }, plan, { tries })),
      (found) => (found === null ? BY_HAND : describeAttached(found)),
    );
    try {
      return step(
        "mount",
        (undo) => (attached === null || isDoneByHand() ? null : mountRoot({ ...rest, undo }, plan, attached.device)),
        (done) => (done === null ? BY_HAND : describeMounted(done)),
      );
    } catch (error) {
      const doubt = attached?.doubt ?? null;
      if (doubt === null || !(error instanceof BootError)) throw error;
      rest.voice.warn(`${headline(error)}: ${doubt}, asking again`);
      rewind("root");
    }
  }
}

function describeMounted({ node, type, target, writable }: MountedDevice): string {
  return `${node} ${type} at ${target}, ${writable ? "writable" : "read-only"}`;
}

/** Mounts the root device at its place in the stack. It is checked first only if it is the root itself: nothing else is ever written. */
function mountRoot(context: Context, plan: BootPlan, device: BlockDevice): MountedDevice {
  const { source: target } = planBase(plan);
  const { rootTypes: types, rootOptions: options } = plan;
  const asRoot = plan.rootWritable ? "writable" : "read-only";
  const access = target === ROOT ? asRoot : "untouched";
  if (target === ROOT) checkFilesystem(context, device, plan);
  const type = mountDevice(context, { device, target, types, access, options, role: "root" });
  const writable = access === "writable";
  const { node, facts } = device;
  return { node, facts, target, type, writable, isInside: liesInVolume(context.machine)(device) };
}

import type { Context } from "../../drivers/context.ts";
import type { MountedDevice } from "../../filesystems/mount.ts";
import { isMounted } from "../../filesystems/mounts.ts";
import { PLACES } from "../../filesystems/places.ts";
import type { StepName } from "../../parameters/step-names.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import { headline } from "../../problems/report.ts";
import { attachDevice, describeAttached } from "../../storage/attach.ts";
import type { Tries } from "../../storage/contract.ts";
import type { RunStep } from "../step-runner.ts";
import { mountRoot } from "./mount.ts";

/** A context without the undo, which each step has of its own, and what runs the steps. */
export interface Steps extends Omit<Context, "undo"> {
  readonly step: RunStep;
  readonly rewind: (name: StepName) => void;
}

/** What the steps report that a mount by hand makes unnecessary. */
const BY_HAND = `what was mounted by hand at ${PLACES.root}`;

/**
 * Finds the root device and mounts it; null if the user of a rescue shell has mounted a root by hand. A device that only a mount
 * can prove to be opened correctly is opened again if the mount fails.
 */
export function attachAndMount({ step, rewind, ...rest }: Steps, plan: BootPlan): MountedDevice | null {
  const tries: Tries = new Map();
  const isDoneByHand = () => isMounted(rest.machine, PLACES.root);
  for (;;) {
    const attached = step(
      "root",
      (undo) => (isDoneByHand() ? null : attachDevice({ ...rest, undo }, plan, { tries })),
      (found) => (found === null ? BY_HAND : describeAttached(found)),
    );
    try {
      return step(
        "mount",
        (undo) => {
          if (attached === null || isDoneByHand()) return null;
          return mountRoot(rest.machine, plan, attached.device, { modules: rest.drivers, voice: rest.voice, undo });
        },
        (done) => (done === null ? BY_HAND : describeMounted(done)),
      );
    } catch (error) {
      if (attached?.isUnproven !== true || !(error instanceof BootError)) throw error;
      rest.voice.warn(`${headline(error)}: the passphrase may be wrong, asking again`);
      rewind("root");
    }
  }
}

/** Stacks the layers on what was mounted, unless the user has mounted a root by hand meanwhile. */
export function stackUnlessByHand(
  { machine }: Pick<Context, "machine">,
  mounted: MountedDevice | null,
  stack: (mounted: MountedDevice) => string,
): string {
  const isByHand = mounted === null || (mounted.target !== PLACES.root && isMounted(machine, PLACES.root));
  return isByHand ? BY_HAND : stack(mounted);
}

function describeMounted({ node, type, target, writable }: MountedDevice): string {
  return `${node} ${type} at ${target}, ${writable ? "writable" : "read-only"}`;
}

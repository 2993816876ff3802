import type { Context } from "../drivers/context.ts";
import { createLoader, type Loader } from "../drivers/loader.ts";
import { installApplets } from "../filesystems/busybox.ts";
import type { MountedDevice } from "../filesystems/mount.ts";
import { isMounted } from "../filesystems/mounts.ts";
import type { Handover, Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { StepName } from "../parameters/step-names.ts";
import type { BootPlan } from "../plan/plan.ts";
import { BootError } from "../problems/errors.ts";
import { headline } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { stackRoot } from "../stack/layers.ts";
import { ROOT } from "../stack/root-stack.ts";
import { attachDevice, describeAttached } from "../storage/attach.ts";
import type { Guesses } from "../storage/kinds/crypt/crypt.ts";
import { loadsOwnDrivers } from "./device-manager.ts";
import type { RunStep } from "./step-runner.ts";
import { moveApiMounts, planHandover } from "./steps/handover.ts";
import { chooseInit } from "./steps/init.ts";
import { mountRoot } from "./steps/mount.ts";
import { prepare } from "./steps/prepare.ts";

/** What a boot needs from its caller. */
export interface BootContext {
  readonly machine: Machine;
  readonly voice: Voice;
  /** Runs a step once, however often the boot is retried. */
  readonly step: RunStep;
  /** Forgets every step from `name` on and reverts what they did. */
  readonly rewind: (name: StepName) => void;
  /** Called before the API filesystems move into the new root: afterwards levain writes only to files that are open. */
  readonly beforeMoves: () => void;
  /** Reads the command line and the manifest, and sets the console as they say. */
  readonly readPlan: () => BootPlan;
}

/** The whole boot, top to bottom. The Handover has what is left to do: the last calls of stage0. */
export function boot({ machine, voice, step, rewind, beforeMoves, readPlan }: BootContext): Handover {
  const plan = step(
    "prepare",
    () => {
      prepare(machine);
      return readPlan();
    },
    describePlan,
  );

  const drivers = step("modules", () => createLoader(machine, plan.modules, voice), describeLoader);

  const root = makeRoot({ machine, drivers, voice, step, rewind }, plan);
  const init = step(
    "init",
    () => chooseInit(machine, root, plan.handover.init, plan.rescue.shell !== false),
    (path) => path,
  );

  return step(
    "handover",
    (undo) => {
      const context = { machine, drivers, voice, undo };
      const handover = planHandover(context, plan, { root, init });
      if (handover.mode === "stay") return handover;
      if (!loadsOwnDrivers(machine, root, plan.handover)) drivers.loadAll();
      beforeMoves();
      moveApiMounts(context, root);
      return handover;
    },
    ({ mode, argv }) => (mode === "stay" ? `to ${argv.join(" ")}, here` : `${mode} to ${argv.join(" ")}`),
  );
}

/** A context without the undo, which each step has of its own. */
type Steps = Omit<Context, "undo"> & Pick<BootContext, "step" | "rewind">;

/** Makes the root tree; returns where it is. */
function makeRoot(steps: Steps, plan: BootPlan): string {
  const { root } = plan;
  switch (root.kind) {
    case "block":
      attachAndStack(steps, plan, root.devices);
      return ROOT;
    case "none":
      steps.step(
        "root",
        () => settleIn(steps),
        () => "none asked for: the initramfs is the system",
      );
      return "/";
  }
}

/** Finds, mounts and stacks the root. If the user of a rescue shell has mounted one at /sysroot, the boot uses that and skips the rest of these steps. */
function attachAndStack(steps: Steps, plan: BootPlan, devices: readonly DeviceSpec[]): void {
  const isDoneByHand = () => isMounted(steps.machine, ROOT);
  const mounted = attachAndMount({ ...steps, isDoneByHand }, plan, devices);
  steps.step(
    "layers",
    (undo) => {
      const isByHand = mounted === null || (mounted.target !== ROOT && isDoneByHand());
      return isByHand ? BY_HAND : stackRoot({ ...steps, undo }, plan, mounted);
    },
    (layers) => layers,
  );
}

/** Only a successful mount proves the passphrase of a plain dm-crypt volume: if it fails, the user is asked again. */
function attachAndMount(
  { step, rewind, isDoneByHand, ...rest }: Steps & { readonly isDoneByHand: () => boolean },
  plan: BootPlan,
  roots: readonly DeviceSpec[],
): MountedDevice | null {
  const { machine, drivers: modules, voice } = rest;
  const guesses: Guesses = new Map();
  for (;;) {
    const attached = step(
      "root",
      (undo) => (isDoneByHand() ? null : attachDevice(machine, { ...plan, roots }, { modules, voice, undo, guesses })),
      (found) => (found === null ? BY_HAND : describeAttached(found)),
    );
    try {
      return step(
        "mount",
        (undo) => (attached === null || isDoneByHand() ? null : mountRoot({ ...rest, undo }, plan, attached.device)),
        (done) => (done === null ? BY_HAND : describeMounted(done)),
      );
    } catch (error) {
      if (attached?.isGuess !== true || !(error instanceof BootError)) throw error;
      voice.warn(`${headline(error)}: the passphrase may be wrong, asking again`);
      rewind("root");
    }
  }
}

const BY_HAND = `what was mounted by hand at ${ROOT}`;

function describeMounted({ node, type, target, writable }: MountedDevice): string {
  return `${node} ${type} at ${target}, ${writable ? "writable" : "read-only"}`;
}

/** Makes the initramfs the final system, where no udev will load drivers and no package has installed the applets. */
function settleIn({ machine, drivers }: Steps): void {
  drivers.loadAll();
  installApplets(machine);
}

function describePlan(plan: BootPlan): string {
  return plan.root.kind !== "none" ? "command line read" : "command line read: no root asked for";
}

function describeLoader(loader: Loader): string {
  const { modules, devices } = loader.counts();
  return `${modules} loaded for ${devices} devices`;
}

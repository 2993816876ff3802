import type { Undo } from "../drivers/context.ts";
import { createLoader, type Loader } from "../drivers/loader.ts";
import { installApplets } from "../filesystems/busybox.ts";
import type { MountedDevice } from "../filesystems/mount.ts";
import { PLACES } from "../filesystems/places.ts";
import type { Handover, Machine } from "../machine/machine.ts";
import type { StepName } from "../parameters/step-names.ts";
import type { BootPlan } from "../plan/plan.ts";
import type { Voice } from "../problems/voice.ts";
import { stackRoot } from "../stack/layers.ts";
import { loadsOwnDrivers } from "./device-manager.ts";
import type { RunStep } from "./step-runner.ts";
import { moveApiMounts, planHandover } from "./steps/handover.ts";
import { chooseInit } from "./steps/init.ts";
import { prepare } from "./steps/prepare.ts";
import { attachAndMount, stackUnlessByHand } from "./steps/root.ts";

/** What a boot needs from whoever runs it. */
export interface BootContext {
  readonly machine: Machine;
  readonly voice: Voice;
  /** Runs a step once, however often the boot is tried. */
  readonly step: RunStep;
  /** Forgets every step from `name` on and takes back what they did. */
  readonly rewind: (name: StepName) => void;
  /** Called before the API filesystems move into the new root: from then on what is written must be open. */
  readonly beforeMoves: () => void;
  /** Reads the command line and the manifest, and obeys what they say about talking. */
  readonly readPlan: () => BootPlan;
}

/** The whole boot, top to bottom. What is left to do afterwards is in the Handover: nothing but stage0's last calls. */
export function boot({ machine, voice, step, rewind, beforeMoves, readPlan }: BootContext): Handover {
  const plan = step(
    "prepare",
    () => {
      prepare(machine);
      return readPlan();
    },
    describePlan,
  );

  const modules = step("modules", () => createLoader(machine, plan.modules, voice), describeLoader);

  if (plan.roots.length > 0) {
    const mounted = attachAndMount({ machine, drivers: modules, voice, step, rewind }, plan);
    const stack = (undo: Undo) => (medium: MountedDevice) => stackRoot(machine, plan, medium, { modules, voice, undo });
    step(
      "layers",
      (undo) => stackUnlessByHand({ machine }, mounted, stack(undo)),
      (layers) => layers,
    );
  } else {
    step(
      "root",
      () => settleIn(machine, modules),
      () => "none asked for: the initramfs is the system",
    );
  }

  const root = plan.roots.length > 0 ? PLACES.root : "/";
  const init = step(
    "init",
    () => chooseInit(machine, root, plan.handover.init, plan.rescue.shell !== false),
    (path) => path,
  );

  return step(
    "handover",
    (undo) => {
      const handover = planHandover(machine, plan, init, voice);
      if (handover.mode === "stay") return handover;
      if (!loadsOwnDrivers(machine, root, plan.handover)) modules.loadAll();
      beforeMoves();
      moveApiMounts(machine, root, { voice, undo });
      return handover;
    },
    ({ mode, argv }) => (mode === "stay" ? `to ${argv.join(" ")}, here` : `${mode} to ${argv.join(" ")}`),
  );
}

/** The initramfs becomes the system: nobody after us will load drivers or make applets. */
function settleIn(machine: Machine, modules: Loader): void {
  modules.loadAll();
  installApplets(machine);
}

function describePlan(plan: BootPlan): string {
  return plan.roots.length > 0 ? "command line read" : "command line read: no root asked for";
}

function describeLoader(loader: Loader): string {
  const { modules, devices } = loader.counts();
  return `${modules} loaded for ${devices} devices`;
}

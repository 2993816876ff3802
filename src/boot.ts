import type { BootPlan } from "./config/plan.ts";
import { moveApiMounts, planHandover } from "./handover.ts";
import type { Handover, Machine } from "./machine/machine.ts";
import type { RunStep } from "./step-runner.ts";
import { attachRoot } from "./steps/attach.ts";
import { describeDevice } from "./steps/block-devices.ts";
import { loadsOwnDrivers } from "./steps/device-manager.ts";
import { chooseInit } from "./steps/init.ts";
import { stackRoot } from "./steps/layers.ts";
import { createLoader, type Loader } from "./steps/modules.ts";
import { mountRoot } from "./steps/mount-root.ts";
import { PLACES } from "./steps/places.ts";
import { prepare } from "./steps/prepare.ts";
import { installApplets } from "./steps/stay.ts";
import type { Voice } from "./voice.ts";

/** What a boot needs from whoever runs it. */
export interface BootContext {
  readonly machine: Machine;
  readonly voice: Voice;
  /** Runs a step once, however often the boot is tried. */
  readonly step: RunStep;
  /** Reads the command line and the manifest, and obeys what they say about talking. */
  readonly readPlan: () => BootPlan;
}

/** The whole boot, top to bottom. What is left to do afterwards is in the Handover: nothing but stage0's last calls. */
export function boot({ machine, voice, step, readPlan }: BootContext): Handover {
  const plan = step(
    "prepare",
    () => {
      prepare(machine);
      return readPlan();
    },
    describePlan,
  );

  const modules = step("modules", () => createLoader(machine, plan.modules, voice), describeLoader);

  if (plan.roots.length > 0) attachAndStack(machine, plan, modules, { voice, step });
  else
    step(
      "root",
      () => settleIn(machine, modules),
      () => "none asked for: the initramfs is the system",
    );

  const root = plan.roots.length > 0 ? PLACES.root : "/";
  const init = step(
    "init",
    () => chooseInit(machine, root, plan.handover.init),
    (path) => path,
  );

  return step(
    "handover",
    (undo) => {
      const handover = planHandover(machine, plan, init, voice);
      if (handover.mode === "stay") return handover;
      if (!loadsOwnDrivers(machine, root, plan.handover)) modules.loadAll();
      moveApiMounts(machine, root, { voice, undo });
      return handover;
    },
    ({ mode, argv }) => `${mode} to ${argv.join(" ")}`,
  );
}

function attachAndStack(
  machine: Machine,
  plan: BootPlan,
  modules: Loader,
  { voice, step }: Pick<BootContext, "voice" | "step">,
): void {
  const device = step("root", () => attachRoot(machine, plan, modules, voice), describeDevice);

  step(
    "mount",
    (undo) => mountRoot(machine, plan, device, { modules, voice, undo }),
    ({ type, target, writable }) => `${device.node} ${type} at ${target}, ${writable ? "writable" : "read-only"}`,
  );

  step(
    "layers",
    (undo) => stackRoot(machine, plan, { modules, voice, undo }),
    (layers) => layers,
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

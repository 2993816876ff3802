import type { Undo } from "../drivers/context.ts";
import { createLoader, type Loader } from "../drivers/loader.ts";
import { installApplets } from "../filesystems/busybox.ts";
import type { MountedDevice } from "../filesystems/mount.ts";
import { isMounted } from "../filesystems/mounts.ts";
import { PLACES } from "../filesystems/places.ts";
import type { Handover, Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { StepName } from "../parameters/step-names.ts";
import type { BootPlan } from "../plan/plan.ts";
import { BootError } from "../problems/errors.ts";
import { headline } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { stackRoot } from "../stack/layers.ts";
import { type Attached, attachDevice, describeAttached } from "../storage/attach.ts";
import type { Guesses } from "../storage/kinds/crypt/crypt.ts";
import { loadsOwnDrivers } from "./device-manager.ts";
import type { RunStep } from "./step-runner.ts";
import { moveApiMounts, planHandover } from "./steps/handover.ts";
import { chooseInit } from "./steps/init.ts";
import { mountRoot } from "./steps/mount.ts";
import { prepare } from "./steps/prepare.ts";

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

  const root = makeRoot(machine, plan, modules, { voice, step, rewind });
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

type Roots = { readonly roots: readonly DeviceSpec[] };
type Steps = Pick<BootContext, "voice" | "step" | "rewind">;

/** Makes the root tree; returns its place. */
function makeRoot(machine: Machine, plan: BootPlan, modules: Loader, steps: Steps): string {
  switch (plan.root.kind) {
    case "block":
      attachAndStack(machine, { ...plan, roots: plan.root.devices }, modules, steps);
      return PLACES.root;
    case "none":
      steps.step(
        "root",
        () => settleIn(machine, modules),
        () => "none asked for: the initramfs is the system",
      );
      return "/";
  }
}

/** A person at the rescue shell may mount a root at /sysroot by hand: it is taken, and what is not done yet of these steps is left out. */
function attachAndStack(machine: Machine, plan: BootPlan & Roots, modules: Loader, steps: Steps): void {
  const { voice, step } = steps;
  const isDoneByHand = () => isMounted(machine, PLACES.root);
  const mounted = attachAndMount(machine, plan, modules, { ...steps, isDoneByHand });
  step(
    "layers",
    (undo) => {
      const isByHand = mounted === null || (mounted.target !== PLACES.root && isDoneByHand());
      return isByHand ? BY_HAND : stackRoot(machine, plan, mounted, { modules, voice, undo });
    },
    (layers) => layers,
  );
}

/** Nothing proves the passphrase of a plain dm-crypt volume but what is inside: where that cannot be mounted, the person is asked again. */
function attachAndMount(
  machine: Machine,
  plan: BootPlan & Roots,
  modules: Loader,
  { voice, step, rewind, isDoneByHand }: Steps & { readonly isDoneByHand: () => boolean },
): MountedDevice | null {
  const guesses: Guesses = new Map();
  for (;;) {
    const attached = step(
      "root",
      (undo) => (isDoneByHand() ? null : attachDevice(machine, plan, { modules, voice, undo, guesses })),
      (found) => (found === null ? BY_HAND : describeAttached(found)),
    );
    const mount = (undo: Undo, { device }: Attached) => mountRoot(machine, plan, device, { modules, voice, undo });
    try {
      return step(
        "mount",
        (undo) => (attached === null || isDoneByHand() ? null : mount(undo, attached)),
        (done) => (done === null ? BY_HAND : describeMounted(done)),
      );
    } catch (error) {
      if (attached?.isGuess !== true || !(error instanceof BootError)) throw error;
      voice.warn(`${headline(error)}: the passphrase may be wrong, asking again`);
      rewind("root");
    }
  }
}

const BY_HAND = `what was mounted by hand at ${PLACES.root}`;

function describeMounted({ node, type, target, writable }: MountedDevice): string {
  return `${node} ${type} at ${target}, ${writable ? "writable" : "read-only"}`;
}

/** The initramfs becomes the system: nobody after us will load drivers or make applets. */
function settleIn(machine: Machine, modules: Loader): void {
  modules.loadAll();
  installApplets(machine);
}

function describePlan(plan: BootPlan): string {
  return plan.root.kind !== "none" ? "command line read" : "command line read: no root asked for";
}

function describeLoader(loader: Loader): string {
  const { modules, devices } = loader.counts();
  return `${modules} loaded for ${devices} devices`;
}

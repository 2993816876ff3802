import { wipe } from "../crypto/secret.ts";
import { createLoader } from "../drivers/loader.ts";
import type { Loader } from "../drivers/make-loader.ts";
import { installApplets } from "../filesystems/busybox.ts";
import type { Handover } from "../machine/handover.ts";
import type { NetworkUp } from "../network/up.ts";
import type { BootPlan } from "../plan/plan.ts";
import { ROOT } from "../stack/root-stack.ts";
import { resume } from "../storage/resume/resume.ts";
import type { PlanAdditions } from "./plan-reader.ts";
import { loadFinalDrivers } from "./steps/final-drivers.ts";
import { moveApiMounts, planHandover } from "./steps/handover.ts";
import { chooseInit } from "./steps/init.ts";
import { leavePrograms } from "./steps/left-programs.ts";
import { completePlan, connect, connectMore, describeNetwork, leaveNetworkFiles } from "./steps/network.ts";
import { prepare } from "./steps/prepare.ts";
import { attachAndStack } from "./steps/root.ts";
import type { Steps } from "./steps/steps.ts";
import type { WatchdogKeeper } from "./watchdog.ts";

/** What a boot needs from its caller. */
export interface BootContext extends Omit<Steps, "drivers"> {
  readonly passphrases: Uint8Array[];
  /** Arms the watchdog, if the plan asks for it. */
  readonly arm: WatchdogKeeper["arm"];
  /** Called before the API filesystems move into the new root: afterwards levain writes only to files that are open. */
  readonly beforeMoves: () => void;
  /** Reads the command line and the manifest, and sets the console as they say; again, when the network has more to say. */
  readonly readPlan: (more?: PlanAdditions) => BootPlan;
}

/** The whole boot, top to bottom. The Handover has what is left to do: the last calls of stage0. */
export function boot(context: BootContext): Handover {
  const { machine, voice, passphrases, step, beforeMoves, readPlan } = context;
  const first = step(
    "prepare",
    () => {
      prepare(machine);
      return readPlan();
    },
    ({ root }) => (root.kind === "none" ? "command line read: no root asked for" : "command line read"),
  );

  const firstDrivers = step("modules", () => loadFirst(context, first), describeLoader);

  const { network, plan } = step(
    "network",
    (undo) => {
      const context = { machine, drivers: firstDrivers, voice, undo };
      const up = connect(context, first.network);
      const plan = up === null ? first : completePlan(context, first, up, readPlan);
      const network = up === null ? null : connectMore(context, up, first.network, plan.network);
      leaveNetworkFiles(context, network, plan.network);
      return { network, plan };
    },
    ({ network, plan }) => describeNetwork(network, plan.network),
  );
  const drivers = Bun.deepEquals(plan.modules, first.modules)
    ? firstDrivers
    : createLoader(machine, plan.modules, voice);

  // Before anything is checked or mounted: a hibernated system knows its filesystems as they are now.
  step(
    "resume",
    (undo) => resume({ machine, drivers, voice, passphrases, undo }, plan),
    (text) => text,
  );

  const root = makeRoot({ ...context, drivers }, plan, network);
  wipe(...passphrases.splice(0)); // no search follows
  const init = step(
    "init",
    () => chooseInit(machine, root, plan.handover.init, plan.rescue.shell),
    (path) => path,
  );

  return step(
    "handover",
    (undo) => {
      const context = { machine, drivers, voice, undo };
      const handover = planHandover(context, plan, { root, init });
      if (handover.mode === "stay") return handover;
      loadFinalDrivers(context, root, plan.handover);
      leavePrograms(context, plan.handover);
      machine.releaseDevices(); // the real system decides what may be written
      beforeMoves();
      moveApiMounts(context, root);
      return handover;
    },
    ({ mode, argv }) => (mode === "stay" ? `to ${argv.join(" ")}, here` : `${mode} to ${argv.join(" ")}`),
  );
}

/** The watchdog is armed as soon as its driver may be there: what follows may hang. */
function loadFirst({ machine, voice, arm }: BootContext, plan: BootPlan): Loader {
  const loader = createLoader(machine, plan.modules, voice);
  arm(plan, loader);
  return loader;
}

function makeRoot(steps: Steps, plan: BootPlan, network: NetworkUp | null): string {
  const { root } = plan;
  if (root.kind !== "none") {
    attachAndStack(steps, plan, root, network);
    return ROOT;
  }
  steps.step(
    "root",
    () => {
      // In the initramfs no udev will load drivers, and no package has installed the applets.
      if (plan.handover.drivers !== "root") steps.drivers.loadAll();
      installApplets(steps.machine);
    },
    () => `none${root.isAsked ? "" : ", as root= is missing"}: the initramfs is the system`,
  );
  return "/";
}

function describeLoader(loader: Loader): string {
  const { modules, devices } = loader.counts();
  return `${modules} loaded for ${devices} devices`;
}

import { loadAllDrivers } from "../drivers/loader.ts";
import { findUnpackFailure } from "../drivers/unpack-failure.ts";
import { findShell } from "../filesystems/busybox.ts";
import { type BootRecord, createRecord, createRecordEnd, readStart, saveRecord } from "../log/boot-record.ts";
import { type Console, createConsole } from "../log/console.ts";
import { findSerialFault } from "../log/serial-speed.ts";
import type { Handover } from "../machine/handover.ts";
import type { Machine } from "../machine/machine.ts";
import type { Inherited } from "../parameters/inherited.ts";
import type { StepName } from "../parameters/values.ts";
import type { BootPlan } from "../plan/plan.ts";
import { waitsForPerson } from "../plan/rescue-policy.ts";
import { problem } from "../problems/problem.ts";
import { EVERY_NEED, report, wrapLine, wrapLines } from "../problems/report.ts";
import { applyKeymap } from "../prompt/keymap.ts";
import { describePermanent, permanentOf } from "../rescue/permanent.ts";
import { applyPolicy, mayStartShell, runBreakShell } from "../rescue/policy.ts";
import { prepareStay, takeRestart } from "../rescue/restart.ts";
import { createLogSaver } from "../rescue/saved-log/save.ts";
import { saveKeyList, sealVolumes } from "../rescue/seal.ts";
import { describePlace } from "../rescue/shell.ts";
import { objectToShell } from "../rescue/shell-init.ts";
import { type BootContext, boot } from "./boot.ts";
import { keepDeviceNodes } from "./device-nodes.ts";
import { reportFailures, showFailure, WITHOUT_SHELL } from "./failure-report.ts";
import { createHooks } from "./hooks/run-hooks.ts";
import { createPlanReader, type PlanAdditions } from "./plan-reader.ts";
import { createStepRunner } from "./step-runner.ts";
import { planWithTries } from "./tries/tries.ts";
import { createWatchdogKeeper, type WatchdogKeeper } from "./watchdog.ts";

/** Restarts the boot after a shell of rd.break=, without a failure: `levain retry` added parameters, or volumes were closed for the shell. */
class RestartError extends Error {
  readonly parameters: readonly string[];

  constructor(parameters: readonly string[]) {
    super("the boot starts again with other parameters");
    this.parameters = parameters;
  }
}

/** Boots. A failure is reported and left to the failure policy; after a shell the boot continues where it stopped, as often as necessary. */
export function runBoot(system: Machine, version: string, inherited: Inherited): Handover {
  const record = createRecord(version, readStart(system));
  const console = createConsole(system, record);
  const { machine, arm, close } = createWatchdogKeeper(keepDeviceNodes(system, console), console);
  const restart = takeRestart(machine, console);
  // In a boot that begins again, they are those of the init between the two.
  const plans = createPlanReader(machine, record, console, restart === null ? inherited : null);
  plans.add(restart ?? []);
  const makeReady = createPreparation(machine, record, console);
  const stopBefore = createBreaks(machine, record, console, { makeReady, seal: () => seal(true) });
  const hooks = createHooks({ machine, voice: console, record }, () => plans.currentOrLess().rescue.hasHooks);
  const runner = createStepRunner(machine, record, {
    before: (name) => hooks.beforeStep(name, () => stopBefore(name, plans.current())),
    // A step that found nothing to do says nothing.
    after: (step) => hooks.afterStep(step.name, () => step.text !== "" && console.step(step)),
  });
  const readPlan = (additions: PlanAdditions | null = null) => {
    const plan = additions === null ? plans.read() : plans.readAgain(additions);
    saveKeyList(machine, plan, console);
    const keymap = applyKeymap(machine, plan.keymap, console);
    stopBefore("prepare", plan); // in its own step: rd.break= was not known before
    return { ...plan, keymap };
  };
  const seal = (hasShell: boolean, mayKeep = hasShell) =>
    sealVolumes({ ...context, console, release: () => runner.release("root"), hasShell, mayKeep }, plans.current());
  const recover = (error: unknown) => {
    const { rescue, modules } = planWithTries(machine, console, record, plans);
    const mayHaveShell = mayStartShell(rescue) && (findShell(machine) !== null || rescue.onFailure === "menu");
    // Before the report: it advises what needs a shell only if there will be one.
    const obstacle = catchError(() => seal(mayHaveShell, waitsForPerson(rescue)));
    const hasShell = mayHaveShell && obstacle === null;
    record.failure = reportFailures([error, findUnpackFailure(machine), findSerialFault(machine), obstacle], hasShell);
    record.state = "rescue";
    showFailure(machine, console, record, { error, rescue });
    makeReady(hasShell || rescue.log !== null ? modules : null);
    saveLog(rescue);
    const decide = () => applyPolicy(machine, rescue, console, hasShell || !mayHaveShell);
    return obstacle === null ? hooks.aroundFailure(decide) : decide(); // a hook is as good as a shell: not with a volume open
  };
  const saveLog = createLogSaver(machine, console, record, () => plans.currentOrLess().modules);
  const end = createRecordEnd(machine, record);
  const own = { step: runner.run, rewind: runner.rewind, beforeMoves: end.hold, readPlan, arm };
  const context: BootContext = { machine, voice: console, passphrases: [], ...own };
  for (;;) {
    try {
      const handover = boot(context);
      conclude({ machine, console, seal: () => seal(true), close }, plans, handover);
      record.state = "handed over";
      end.save();
      // In the initramfs nothing else keeps the kernel's messages out of the shell.
      if (handover.mode !== "stay") console.kernel.restore();
      return handover;
    } catch (error) {
      const words = error instanceof RestartError ? error.parameters : recover(error);
      record.state = "booting";
      runner.rewindFailed(isUnverifiedDownload(plans.current()));
      if (words.length === 0) continue;
      plans.add(words);
      runner.rewind("prepare");
    }
  }
}

function isUnverifiedDownload(plan: BootPlan | null): boolean {
  return plan?.root.kind === "download" && plan.checks.digest === null && plan.checks.signedList === null;
}

interface SettleTools {
  readonly machine: Machine;
  readonly console: Console;
  readonly seal: () => void;
  readonly close: WatchdogKeeper["close"];
}

/** Does and says what is left before the real init starts. */
function conclude(
  tools: SettleTools,
  plans: ReturnType<typeof createPlanReader>,
  { mode, init, root }: Handover,
): void {
  const { machine, console } = tools;
  const kept = permanentOf(plans.added());
  // The last moment at which levain can feed the watchdog. No init of an initramfs is known to open it, and a shell never does.
  tools.close(mode === "stay" ? "stopped" : "armed");
  if (mode === "stay") settle(tools, plans.current(), init);
  else if (kept.length > 0) console.say(wrapLine(describePermanent(machine, root, kept), 2).join("\n"));
}

/** Prepares the initramfs as the final system with process 1 `init`; says why, if a shell starts only because root= is missing. */
function settle({ machine, console, seal }: SettleTools, plan: BootPlan | null, init: string): void {
  const hasShell = objectToShell(machine, "/", init) !== null;
  // A shell as the final system is a shell too: an edited command line may have asked for it.
  if (hasShell) seal();
  const canRetry = prepareStay(machine, init, console);
  const isAsked = plan?.root.kind === "none" && plan.root.isAsked;
  if (!hasShell || isAsked) return;
  const lines = report(problem("root-not-named", {}), canRetry ? EVERY_NEED : WITHOUT_SHELL);
  console.trouble([...wrapLines(lines), ...describePlace(machine)]);
}

function catchError(act: () => unknown): unknown {
  try {
    act();
    return null;
  } catch (error) {
    return error;
  }
}

/** Returns the function that starts a shell before each step that rd.break= names, once. */
function createBreaks(
  machine: Machine,
  record: BootRecord,
  console: Console,
  { makeReady, seal }: { readonly makeReady: MakeReady; readonly seal: () => boolean },
): (name: StepName, plan: BootPlan | null) => void {
  const seen = new Set<StepName>();
  return (name, plan) => {
    if (plan?.rescue.breaks.includes(name) !== true || seen.has(name)) return;
    seen.add(name);
    record.state = "stopped";
    makeReady(plan.modules);
    const isClosed = seal();
    const words = runBreakShell(machine, name, plan.rescue, console);
    record.state = "booting";
    if (words.some((word) => /^(rd\.)?break/.test(word))) seen.clear();
    if (isClosed || words.length > 0) throw new RestartError(words);
  };
}

type MakeReady = (modules: BootPlan["modules"] | null) => void;

/** Returns the function that runs before a shell: it saves the record for `levain status` and loads the drivers that a boot leaves out, because the keyboard may need one. No failure here may prevent the shell. */
function createPreparation(machine: Machine, record: BootRecord, console: Console): MakeReady {
  let haveDrivers = false;
  return (modules) => {
    try {
      machine.makeDirectory("/run/levain"); // if mounting /run is what failed
      if (modules !== null && !haveDrivers) loadAllDrivers(machine, modules, console);
      haveDrivers ||= modules !== null;
    } catch (error) {
      console.trouble(wrapLines(report(error)));
    }
    saveRecord(machine, record);
  };
}

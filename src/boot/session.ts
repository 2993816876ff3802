import { loadAllDrivers } from "../drivers/loader.ts";
import { findUnpackFailure } from "../drivers/unpack-failure.ts";
import { type BootRecord, createRecord, holdRecord, saveRecord } from "../log/boot-record.ts";
import { type Console, createConsole } from "../log/console.ts";
import type { Handover, Machine } from "../machine/machine.ts";
import type { Inherited } from "../parameters/inherited.ts";
import type { StepName } from "../parameters/step-names.ts";
import type { BootPlan } from "../plan/plan.ts";
import { EVERY_NEED, report, wrapLines } from "../problems/report.ts";
import { applyKeymap } from "../prompt/keymap.ts";
import { applyPolicy, runBreakShell } from "../rescue/policy.ts";
import { saveKeyList, sealVolumes } from "../rescue/seal.ts";
import { objectToShell } from "../rescue/shell-init.ts";
import { type BootContext, boot } from "./boot.ts";
import { keepDeviceNodes } from "./device-nodes.ts";
import { createPlanReader } from "./plan-reader.ts";
import { createStepRunner } from "./step-runner.ts";

/** After a shell before a step (rd.break=): `levain retry` was given parameters, and everything is planned again, or volumes were closed for it. No failure. */
class RestartError extends Error {
  readonly parameters: readonly string[];

  constructor(parameters: readonly string[]) {
    super("the boot begins again with other parameters");
    this.parameters = parameters;
  }
}

/** Boots, however often it takes: every failure is told and left to the failure policy, and the boot goes on where it stopped. */
export function runBoot(system: Machine, version: string, inherited: Inherited): Handover {
  const record = createRecord(version);
  const console = createConsole(system, record);
  const machine = keepDeviceNodes(system, console);
  const plans = createPlanReader(machine, record, console, inherited);
  const makeReady = createPreparation(machine, record, console);
  const stopBefore = createBreaks(machine, record, console, { makeReady, seal: () => seal() });
  const runner = createStepRunner(machine, record, {
    before: (name) => stopBefore(name, plans.current()),
    after: (step) => console.step(step),
  });
  const readPlan = () => {
    const plan = plans.read();
    saveKeyList(machine, plan, console);
    const keymap = applyKeymap(machine, plan.keymap, console);
    stopBefore("prepare", plan); // its own step: nobody knew of the wish before
    return { ...plan, keymap };
  };
  const seal = () => sealVolumes({ machine, console, release: () => runner.release("root") }, plans.current());
  const trySealing = (rescue: BootPlan["rescue"]): BootPlan["rescue"] => {
    try {
      seal();
      return rescue;
    } catch (error) {
      console.trouble(wrapLines(report(error)));
      return rescue.onFailure === "shell" ? { ...rescue, onFailure: "halt" } : rescue;
    }
  };
  const recover = (error: unknown) => {
    const { rescue, modules } = plans.currentOrLess();
    const hasShell = rescue.onFailure === "shell";
    const has = hasShell ? EVERY_NEED : EVERY_NEED.filter((need) => need !== "shell");
    record.failure = [...report(error, has), ...reportUnpackFailure(machine)];
    record.state = "rescue";
    console.trouble(wrapLines(record.failure));
    makeReady(hasShell ? modules : null);
    return applyPolicy(machine, trySealing(rescue), console);
  };
  let saveAtEnd = () => saveRecord(machine, record);
  const beforeMoves = () => {
    saveAtEnd = holdRecord(machine, record);
  };
  const { run: step, rewind } = runner;
  const context: BootContext = { machine, voice: console, step, rewind, beforeMoves, readPlan };
  for (;;) {
    try {
      const handover = boot(context);
      // A shell as the final system is a shell: whoever edits the command line may have asked for it.
      if (handover.mode === "stay" && objectToShell(machine, "/", handover.init) !== null) seal();
      record.state = "handed over";
      saveAtEnd();
      // Who stays has nobody else who would keep the kernel's words out of the shell.
      if (handover.mode !== "stay") console.kernel.restore();
      return handover;
    } catch (error) {
      const words = error instanceof RestartError ? error.parameters : recover(error);
      record.state = "booting";
      runner.rewindFailed();
      if (words.length === 0) continue;
      plans.add(words);
      runner.rewind("prepare");
    }
  }
}

/** An image that is not all there explains most failures that come after it. */
function reportUnpackFailure(machine: Machine): readonly string[] {
  const failure = findUnpackFailure(machine);
  return failure === null ? [] : report(failure);
}

/** rd.break=: a shell before the steps that it names, once before each. */
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
    const words = runBreakShell(machine, name, console);
    record.state = "booting";
    if (words.some((word) => /^(rd\.)?break/.test(word))) seen.clear();
    if (isClosed || words.length > 0) throw new RestartError(words);
  };
}

type MakeReady = (modules: BootPlan["modules"] | null) => void;

/** What comes before a shell: the record, for `levain status`, and once the drivers that a boot leaves out, for they may be the keyboard's. Whatever goes wrong here must not take the shell away. */
function createPreparation(machine: Machine, record: BootRecord, console: Console): MakeReady {
  let haveDrivers = false;
  return (modules) => {
    try {
      machine.makeDirectory("/run/levain"); // where mounting /run is what failed
      if (modules !== null && !haveDrivers) loadAllDrivers(machine, modules, console);
      haveDrivers ||= modules !== null;
    } catch (error) {
      console.trouble(wrapLines(report(error)));
    }
    saveRecord(machine, record);
  };
}

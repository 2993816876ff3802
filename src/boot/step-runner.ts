import type { Undo } from "../drivers/context.ts";
import { type BootRecord, type StepRecord, saveRecord } from "../log/boot-record.ts";
import type { Machine } from "../machine/machine.ts";
import type { StepName } from "../parameters/values.ts";
import { isErrno, tolerateRefusal } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { headline } from "../problems/report.ts";

/** Runs a step once and keeps its value, so that a retried boot does nothing twice. */
export type RunStep = <T>(name: StepName, act: (undo: Undo) => T, describe: (value: T) => string) => T;

interface StepRunner {
  readonly run: RunStep;
  /** Forgets every step from `name` on and reverts what they did, the last first. */
  rewind(name: StepName): void;
  /** Reverts what the steps from `name` on did, so that they run again; the record keeps how they ended. */
  release(name: StepName): void;
  /**
   * Prepares a retry after a failure: the step "modules" runs again, and the step "root" if the mount failed, since the user may have
   * repaired either. `rootMayBeDamaged`: the root is a file that nothing has verified, so it is fetched again if its layers failed too.
   */
  rewindFailed(rootMayBeDamaged: boolean): void;
}

interface StepHooks {
  /** Before a step that has not run yet (rd.break=). */
  before(name: StepName): void;
  /** After a step that succeeded. */
  after(step: StepRecord): void;
}

/** Creates a runner. A step that fails reverts what it has done so far, so that a retry starts from a known state. */
export function createStepRunner(machine: Machine, record: BootRecord, hooks: StepHooks): StepRunner {
  const values = new Map<StepName, unknown>();
  const takeBacks: { readonly name: StepName; readonly takeBack: () => void }[] = [];
  const order = (name: StepName) => record.steps.findIndex((step) => step.name === name);

  /** What cannot be reverted (busy, or gone already) stays: the failure that led here is the one to report. */
  const undoLast = () => tolerateRefusal(() => takeBacks.pop()?.takeBack());

  function release(from: StepName): void {
    while (takeBacks.length > 0 && order(takeBacks.at(-1)?.name ?? from) >= order(from)) undoLast();
    for (const step of record.steps.slice(order(from))) values.delete(step.name);
  }

  function rewind(from: StepName): void {
    release(from);
    for (const step of record.steps.slice(order(from))) {
      Object.assign(step, { startMs: null, endMs: null, outcome: "waiting", text: "" });
    }
  }

  function run<T>(name: StepName, act: (undo: Undo) => T, describe: (value: T) => string): T {
    if (values.has(name)) return values.get(name) as T; // only `run` puts values in, each under its step's name
    hooks.before(name);
    const step = record.steps[order(name)];
    if (step === undefined) throw new RangeError(`there is no step ${name}`);
    Object.assign(step, { startMs: machine.nowMs(), endMs: null, outcome: "running", text: "" });
    try {
      const value = act((takeBack) => takeBacks.push({ name, takeBack }));
      values.set(name, value);
      Object.assign(step, { endMs: machine.nowMs(), outcome: "done", text: describe(value) });
      hooks.after(step);
      return value;
    } catch (error) {
      const endMs = machine.nowMs();
      const { startMs } = step;
      rewind(name);
      Object.assign(step, { startMs, endMs, outcome: "failed", text: headline(error) });
      if (isErrno(error)) throw problem("step-failed", { step: name }, { cause: error });
      throw error;
    } finally {
      saveRecord(machine, record);
    }
  }

  function rewindFailed(rootMayBeDamaged: boolean): void {
    values.delete("modules"); // it has no undo: a loaded module stays
    const ofRoot: readonly StepName[] = rootMayBeDamaged ? ["mount", "layers"] : ["mount"];
    if (record.steps.some(({ name, outcome }) => outcome === "failed" && ofRoot.includes(name))) rewind("root");
  }

  return { run, rewind, release, rewindFailed };
}

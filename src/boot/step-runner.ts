import type { Undo } from "../filesystems/places.ts";
import type { BootRecord, StepRecord } from "../log/boot-record.ts";
import { saveRecord } from "../log/boot-record.ts";
import type { Machine } from "../machine/machine.ts";
import type { StepName } from "../parameters/step-names.ts";
import { BootError, isErrno } from "../problems/errors.ts";
import { headline } from "../problems/report.ts";

/** Runs a step once: its value is kept, so that a boot that is tried again does nothing twice. */
export type RunStep = <T>(name: StepName, act: (undo: Undo) => T, describe: (value: T) => string) => T;

/** Runs the steps of a boot, each once, and can go back. */
export interface StepRunner {
  readonly run: RunStep;
  /** Forgets every step from `name` on and takes back what they did, the last first. */
  rewind(name: StepName): void;
  /** Takes back what the steps from `name` on did, so that they run again; how they went stays in the record. */
  release(name: StepName): void;
  /** Before another try after a failure: what the person may have mended or changed is looked at anew, the modules of the image and a device that could not be mounted. */
  rewindFailed(): void;
}

/** Who is told before and after a step. */
export interface StepHooks {
  /** Before a step that has not run yet (rd.break=). */
  before(name: StepName): void;
  /** After a step that went well. */
  after(step: StepRecord): void;
}

/** A step that fails takes back what it has done so far, so that trying again starts from firm ground. */
export function createStepRunner(machine: Machine, record: BootRecord, hooks: StepHooks): StepRunner {
  const values = new Map<StepName, unknown>();
  const takeBacks: { readonly name: StepName; readonly takeBack: () => void }[] = [];
  const order = (name: StepName) => record.steps.findIndex((step) => step.name === name);

  function release(from: StepName): void {
    while (takeBacks.length > 0 && order(takeBacks.at(-1)?.name ?? from) >= order(from)) takeBackOne(takeBacks.pop());
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
      if (isErrno(error)) throw new BootError(`the step "${name}" could not be done`, { cause: error });
      throw error;
    } finally {
      saveRecord(machine, record);
    }
  }

  function rewindFailed(): void {
    values.delete("modules"); // it takes nothing back: what is in the kernel stays there
    if (record.steps.some(({ name, outcome }) => name === "mount" && outcome === "failed")) rewind("root");
  }

  return { run, rewind, release, rewindFailed };
}

/** What cannot be taken back (busy, or gone already) stays: the failure that led here is what the person must hear. */
function takeBackOne(entry: { readonly takeBack: () => void } | undefined): void {
  try {
    entry?.takeBack();
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

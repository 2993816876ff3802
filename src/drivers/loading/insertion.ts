import type { Machine } from "../../machine/machine.ts";
import { textOrNone } from "../../machine/small-files.ts";
import { BootError, isErrno, SyscallError } from "../../problems/errors.ts";
import { describeRefusal, printable, report } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { judgeInstall } from "../index/modprobe-config.ts";
import type { ModuleAction } from "../index/resolution.ts";
import { createStarter } from "../module-files.ts";
import { isOver, type Steps, type Wait } from "./steps.ts";

/** "done": the module is in the kernel, or must not be there. "busy": the kernel still probes devices for it. */
export type Outcome = "done" | "refused" | "busy";

/** Performs an action once. */
export type Act = (action: ModuleAction) => Steps<Outcome>;

/** Modules on their way into the kernel. */
export interface Insertion {
  readonly act: Act;
  /** Takes the answers of the kernel that have come; returns true if there was one. */
  settle(): boolean;
  /** How many modules were loaded. */
  count(): number;
  /** True while the kernel probes devices for a driver that was not waited for any longer. */
  isHeldUp(): boolean;
}

interface Tools {
  readonly voice: Voice;
  /** Called for a driver that takes longer than it is waited for. */
  readonly onBusy: (name: string) => void;
  /** How modules are loaded now. `isHasty`: nothing needs the devices of their drivers. */
  readonly mood: { readonly isHasty: boolean; readonly isDiskSlow: () => boolean };
}

/** Inserts modules of `directory` (…/lib/modules/VERSION) into the kernel. Warns of a refusal once, with the kernel's own messages about it. */
export function createInsertion(machine: Machine, directory: string, { voice, onBusy, mood }: Tools): Insertion {
  const start = createStarter(machine);
  const ledger = createLedger(machine, voice, onBusy);
  const { pending } = ledger;

  function begin(name: string, path: string, parameters: string): Wait {
    const isAnyBusy = ledger.isHeldUp();
    const isAnyProbing = pending.size > 0 || mood.isDiskSlow();
    const around = { isAnyBusy, isAnyProbing, isHasty: mood.isHasty };
    const wait = { ...startOrFail(() => start(`${directory}/${path}`, parameters, around)), parameters };
    pending.set(name, wait);
    return wait;
  }

  function* act(action: ModuleAction): Steps<Outcome> {
    const { name } = action;
    if (action.do === "builtin") return "done";
    const known = ledger.outcome(name);
    if (known !== null) return known;
    const verdict = action.do === "install" ? judgeInstall(action.command) : null;
    if (verdict !== null) return verdict === "done" ? "done" : "refused";
    if (action.path === null) return ledger.accept(name);
    yield pending.get(name) ?? begin(name, action.path, action.parameters);
    return ledger.settle(name);
  }

  return {
    act,
    settle() {
      const over = [...pending].filter(([, wait]) => isOver(wait, 0));
      for (const [name] of over) ledger.settle(name);
      return over.length > 0;
    },
    count: ledger.count,
    isHeldUp: ledger.isHeldUp,
  };
}

/** Keeps what has become of each module. */
function createLedger(machine: Machine, voice: Voice, onBusy: Tools["onBusy"]) {
  const present = listLoaded(machine);
  const refused = new Set<string>();
  /** Those that the kernel has not answered for, and among them those that are not waited for any longer. */
  const pending = new Map<string, Wait & { readonly parameters: string }>();
  const busy = new Set<string>();
  let count = 0;
  let mark = machine.kernelLogMark();

  function accept(name: string): "done" {
    present.add(name);
    return "done";
  }

  function beBusy(name: string): "busy" {
    busy.add(name);
    voice.progress(`module ${name}: the kernel has not finished loading it, the boot continues meanwhile`);
    onBusy(name);
    return "busy";
  }

  function beLoaded(name: string, parameters: string): "done" {
    count += 1;
    voice.debug(`module ${name}${parameters === "" ? "" : ` ${printable(parameters)}`}`);
    return accept(name);
  }

  function beRefused(name: string, error: unknown): "done" | "refused" {
    if (isErrno(error, "EEXIST")) return accept(name);
    refused.add(name);
    warnOfRefusal(voice, name, error, machine.kernelLogSince(mark));
    mark = machine.kernelLogMark();
    return "refused";
  }

  /** null if it is not known yet. */
  function outcome(name: string): Outcome | null {
    if (present.has(name)) return "done";
    if (refused.has(name)) return "refused";
    return busy.has(name) ? settle(name) : null;
  }

  /** Takes the kernel's answer; "busy" if it has not come. */
  function settle(name: string): Outcome {
    const wait = pending.get(name);
    if (wait === undefined) return refused.has(name) ? "refused" : "done";
    const isDone = orError(() => wait.pending.isDone(0));
    if (isDone === false) return busy.has(name) ? "busy" : beBusy(name);
    pending.delete(name);
    busy.delete(name);
    return isDone === true ? beLoaded(name, wait.parameters) : beRefused(name, isDone);
  }

  return { pending, accept, outcome, settle, count: () => count, isHeldUp: () => busy.size > 0 };
}

/** Returns what `act` throws instead of throwing it. */
function orError<T>(act: () => T): T | Error {
  try {
    return act();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A module whose file cannot be decompressed is refused like one that the kernel does not accept. */
function startOrFail(start: () => Wait): Wait {
  const wait = orError(start);
  if (!(wait instanceof Error)) return wait;
  const isDone = () => {
    throw wait;
  };
  return { pending: { isDone }, patienceMs: 0 };
}

/** A driver that finds no hardware is normal; every other refusal is a warning. */
function warnOfRefusal(voice: Voice, name: string, error: unknown, kernel: readonly string[]): void {
  if (isErrno(error, "ENODEV", "ENXIO", "EBUSY")) {
    voice.debug(`module ${name}: no hardware for it (${error.code})`);
    return;
  }
  const said = kernel.filter((line) => isAbout(line, name)).slice(-3);
  const words = [explain(error), ...said.map((line) => `kernel: ${printable(line)}`)];
  voice.warn(`could not load the module ${name}: ${words.join("\n  ")}`);
}

function explain(error: unknown): string {
  if (error instanceof SyscallError) return describeRefusal(error);
  if (error instanceof BootError) return report(error).join("\n  ");
  throw error;
}

/** The kernel's messages about loading name the module, except those about signatures. */
function isAbout(line: string, name: string): boolean {
  return line.replaceAll("-", "_").includes(name) || /\b(module|key|lockdown)\b/i.test(line);
}

/** A kernel without CONFIG_MODULES has no such file. */
function listLoaded(machine: Machine): Set<string> {
  const lines = textOrNone(machine, "/proc/modules").split("\n");
  return new Set(lines.map((line) => line.slice(0, line.indexOf(" "))));
}

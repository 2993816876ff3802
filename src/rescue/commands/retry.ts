import { planMachine } from "../../boot/plan-reader.ts";
import type { Machine } from "../../machine/machine.ts";
import { textOrNone } from "../../machine/small-files.ts";
import { splitParameter } from "../../parameters/read-parameters.ts";
import { makePlan } from "../../plan/make-plan.ts";
import { findUnknownParameters } from "../../plan/warnings.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";
import { canRestart, readStay, type Stay } from "../restart.ts";
import { RETRY_FILE, readKept, SHELL_PID_FILE } from "../shell.ts";

/**
 * Does `levain retry [PARAMETER…]`: passes the parameters to the boot and ends the rescue shell, so that the boot continues; in an
 * initramfs that is the final system, the boot begins again. Throws BootError for unknown or invalid parameters: the shell stays then.
 */
export function retryBoot(machine: Machine, parameters: readonly string[]): void {
  requireStopped(machine);
  const pid = Number(textOrNone(machine, SHELL_PID_FILE));
  const stay = pid >= 2 ? null : readStay(machine);
  checkParameters(parameters);
  const all = [...readKept(machine), ...parameters];
  if (stay !== null) checkRestart(machine, all, stay);
  machine.writeFile(RETRY_FILE, JSON.stringify(all));
  if (stay === null) machine.hangUp(pid);
  else machine.restartInit();
}

/** True if a boot is stopped here, in a rescue shell or in an initramfs that is the final system. */
export function isStopped(machine: Machine): boolean {
  const pid = Number(textOrNone(machine, SHELL_PID_FILE));
  return (Number.isInteger(pid) && pid >= 2) || readStay(machine) !== null;
}

/** Throws BootError elsewhere: there the commands of the rescue shell would do what no one has asked for. */
export function requireStopped(machine: Machine): void {
  if (!isStopped(machine)) throw problem("no-stopped-boot", {});
}

/**
 * Does `levain set PARAMETER…`: keeps parameters for the next retry, also by `exit`. Returns all that are kept. Throws BootError for unknown or
 * invalid parameters.
 */
export function keepParameters(machine: Machine, parameters: readonly string[]): readonly string[] {
  checkParameters(parameters);
  const all = [...readKept(machine), ...parameters];
  if (parameters.length > 0) machine.writeFile(RETRY_FILE, JSON.stringify(all));
  return all;
}

/** Forgets them. */
export function forgetParameters(machine: Machine): void {
  if (machine.lstat(RETRY_FILE) !== null) machine.removeFile(RETRY_FILE);
}

const SILENT: Voice = { warn: () => undefined, debug: () => undefined, progress: () => undefined };

function checkRestart(machine: Machine, parameters: readonly string[], stay: Stay): void {
  const { plan } = planMachine(machine, SILENT, { added: parameters });
  if (plan.root.kind === "none") throw problem("retry-without-root", {});
  if (!canRestart(machine, stay)) throw problem("init-without-restart", stay);
}

/** Checks them now, while the person can correct them in the shell. */
function checkParameters(parameters: readonly string[]): void {
  makePlan({ cmdline: "", manifest: null, added: parameters, isPart: true });
  const strangers = findUnknownParameters([{ origin: "levain retry", words: parameters.map(splitParameter) }], null);
  if (strangers.length === 0) return;
  throw problem("unknown-parameter", {
    parameters: strangers.map(({ text, meant }) => (meant === null ? text : `${text} (did you mean ${meant}?)`)),
  });
}

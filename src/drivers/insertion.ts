import type { Machine } from "../machine/machine.ts";
import { textOrNone } from "../machine/small-files.ts";
import { BootError, isErrno, SyscallError } from "../problems/errors.ts";
import { describeRefusal, printable, report } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { judgeInstall } from "./index/modprobe-config.ts";
import type { ModuleAction } from "./index/resolution.ts";
import { createInserter } from "./module-files.ts";

/** Performs an action once; returns true if the module is in the kernel afterwards, or must not be there. */
export type Act = (action: ModuleAction) => boolean;

/** Inserts modules of `directory` (…/lib/modules/VERSION) into the kernel, and counts them. Warns of a refusal once, with the kernel's own messages about it. Calls `onBusy` for a module whose driver is held up by one of its devices. */
export function createInsertion(
  machine: Machine,
  directory: string,
  voice: Voice,
  onBusy: (name: string) => void,
): { readonly act: Act; readonly count: () => number; readonly isHeldUp: () => boolean } {
  const insert = createInserter(machine);
  const present = listLoaded(machine);
  const refused = new Set<string>();
  let count = 0;
  let mark = machine.kernelLogMark();
  let isAnyBusy = false;

  function load(name: string, path: string, parameters: string): boolean {
    try {
      if (!insert(`${directory}/${path}`, parameters, isAnyBusy)) {
        isAnyBusy = true;
        voice.progress(`module ${name}: a device of this driver has not answered yet, the boot continues meanwhile`);
        onBusy(name);
      }
    } catch (error) {
      if (isErrno(error, "EEXIST")) return true;
      warnOfRefusal(voice, name, error, machine.kernelLogSince(mark));
      mark = machine.kernelLogMark();
      return false;
    }
    count += 1;
    voice.debug(`module ${name}${parameters === "" ? "" : ` ${printable(parameters)}`}`);
    return true;
  }

  function act(action: ModuleAction): boolean {
    const { name } = action;
    if (action.do === "builtin" || present.has(name)) return true;
    if (refused.has(name)) return false;
    const verdict = action.do === "install" ? judgeInstall(action.command) : null;
    if (verdict !== null) return verdict === "done";
    const done = action.path === null || load(name, action.path, action.parameters);
    (done ? present : refused).add(name);
    return done;
  }

  return { act, count: () => count, isHeldUp: () => isAnyBusy };
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

/** Throws the error again if it is not a refusal. */
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

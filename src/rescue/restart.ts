import * as v from "valibot";
import { INITTAB, makeInittab } from "../filesystems/busybox.ts";
import type { Console } from "../log/console.ts";
import { PRINTK } from "../log/kernel-console.ts";
import type { Machine } from "../machine/machine.ts";
import { textOrNone } from "../machine/small-files.ts";
import { orIfRefused, tolerateRefusal, unlessRefused } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import { findSelf, takeRetryParameters } from "./shell.ts";
import { findRestartProgram, isBusyboxInit } from "./shell-init.ts";

// `levain retry` in an initramfs that is the final system: its init is process 1, and only it can become levain again.

/** What a boot that begins again must know of the one before; exists only in an initramfs that is the final system. */
const STAY_FILE = "/run/levain/stay.json";
const STAY = v.object({
  /** Process 1. */
  init: v.string(),
  /** The program that process 1 was before. */
  self: v.string(),
  /** The first number of /proc/sys/kernel/printk before levain silenced the kernel; null if it did not. */
  consoleLevel: v.nullable(v.string()),
});

/** How an initramfs became the final system. */
export type Stay = v.InferOutput<typeof STAY>;

/** Prepares the initramfs for its init: an inittab for BusyBox's, `levain` on the path, and what `levain retry` needs. Returns true if `levain retry` can start the boot again. A refusal causes a warning: it prevents no boot. */
export function prepareStay(machine: Machine, init: string, console: Console): boolean {
  const self = findSelf(machine);
  const attempt = (act: () => void, otherwise: string) =>
    unlessRefused(act, (refusal) => console.warn(`${otherwise}: ${describeRefusal(refusal)}`));
  if (isBusyboxInit(machine, init) && machine.lstat(INITTAB) === null) {
    attempt(() => {
      machine.makeDirectory("/etc");
      machine.writeFile(INITTAB, makeInittab(self));
    }, `could not write ${INITTAB}`);
  }
  if (PATH.every((directory) => machine.lstat(`${directory}/levain`) === null)) {
    attempt(() => machine.makeSymlink(self, "/bin/levain"), "the shell has no `levain` on its path");
  }
  const stay: Stay = { init, self, consoleLevel: console.kernel.before() };
  attempt(() => machine.writeFile(STAY_FILE, JSON.stringify(stay)), `could not write ${STAY_FILE}`);
  return canRestart(machine, stay);
}

const PATH = ["/bin", "/sbin", "/usr/bin", "/usr/sbin"];

/** Reads how the initramfs became the final system; null if it did not. */
export function readStay(machine: Machine): Stay | null {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), STAY), textOrNone(machine, STAY_FILE));
  return result.success ? result.output : null;
}

/** Returns true if process 1 becomes levain again after SIGQUIT. */
export function canRestart(machine: Machine, { init, self }: Stay): boolean {
  return isBusyboxInit(machine, init) && findRestartProgram(machine) === self;
}

/** Returns the parameters of `levain retry` if it has started this boot, and removes what it has left; null in any other boot. */
export function takeRestart(machine: Machine, console: Console): readonly string[] | null {
  const stay = orIfRefused(() => readStay(machine), null);
  if (stay === null) return null;
  const { consoleLevel } = stay;
  if (consoleLevel !== null) tolerateRefusal(() => machine.writeFile(PRINTK, consoleLevel));
  tolerateRefusal(() => machine.removeFile(STAY_FILE));
  return takeRetryParameters(machine, console);
}

import type { FileWriter, Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { parseCommandLine } from "../parameters/cmdline.ts";
import type { BootPlan } from "../plan/plan.ts";

/** proc_sys_kernel(5): its first number is the log level of the kernel's console. */
export const PRINTK = "/proc/sys/kernel/printk";
const IGNORE_LEVEL = "/sys/module/printk/parameters/ignore_loglevel";
/** The console still shows critical messages and worse (levels 0 to 2 of syslog(2)). */
const QUIET_LEVEL = 3;
/** Kernel parameters that set how much of the kernel log the console shows. */
const LOG_PARAMETERS = ["debug", "ignore_loglevel", "loglevel"];

/** The kernel's log level for its console: kernel messages, and the kernel's copy of ours, would be mixed into ours. */
export interface KernelConsole {
  /** Returns true if the kernel itself prints a record of this level (syslog(2)) on its consoles, so that levain need not. */
  shows(level: number): boolean;
  /** Keeps the kernel silent from here on, unless the plan or the command line sets how much it shows. */
  silence(talk: BootPlan["talk"], cmdline: Uint8Array): void;
  /** Restores the level while `act` runs. */
  aside<T>(act: () => T): T;
  /** Restores the level, also after /proc has moved. */
  restore(): void;
  /** Returns the level that `restore` would restore; null if the kernel is not silenced. */
  before(): string | null;
}

/** Creates it from /proc/sys/kernel/printk (proc_sys_kernel(5)). */
export function createKernelConsole(machine: Machine): KernelConsole {
  // By descriptor: in a new root the path may lead anywhere.
  let silenced: { readonly file: FileWriter; readonly before: string } | null = null;
  let shown = 0;
  function silence(): void {
    if (silenced !== null) return;
    const level = readLevel(machine);
    if (level === null || level <= QUIET_LEVEL) return;
    const file = orNull(() => machine.openWriter(PRINTK));
    if (file === null) return;
    if (write(file, String(QUIET_LEVEL))) silenced = { file, before: String(level) };
    else file.close();
  }
  function restore(): void {
    if (silenced === null || !write(silenced.file, silenced.before)) return;
    silenced.file.close();
    silenced = null;
  }
  return {
    shows(level) {
      // Not read again for every line of a boot.
      if (silenced !== null) return level < QUIET_LEVEL;
      // After /proc has moved into the new root, the last known level is used.
      shown = readShown(machine) ?? shown;
      return level < shown && machine.stat("/dev/kmsg") !== null;
    },
    silence(talk, cmdline) {
      if (isAskedFor(talk, cmdline)) restore();
      else silence();
    },
    aside(act) {
      const wasSilent = silenced !== null;
      restore();
      try {
        return act();
      } finally {
        if (wasSilent) silence();
      }
    },
    restore,
    before: () => silenced?.before ?? null,
  };
}

/** Returns true if the plan or a kernel parameter asks for the kernel log on the console. */
function isAskedFor(talk: BootPlan["talk"], cmdline: Uint8Array): boolean {
  if (talk.level === "debug" || talk.log === "kmsg") return true;
  return parseCommandLine(cmdline).words.some(({ name }) => LOG_PARAMETERS.includes(name));
}

/** Records below this level are shown; null without /proc or without a kernel log. */
function readShown(machine: Machine): number | null {
  const level = readLevel(machine);
  return level !== null && orNull(() => readText(machine, IGNORE_LEVEL)) === "Y" ? 8 : level;
}

function readLevel(machine: Machine): number | null {
  const level = Number.parseInt(orNull(() => readText(machine, PRINTK)) ?? "", 10);
  return Number.isNaN(level) ? null : level;
}

/** A refusal only leaves the kernel's messages on the console: no reason to stop a boot. */
function orNull<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

function write(file: FileWriter, text: string): boolean {
  return orNull(() => file.replace(text)) === undefined;
}

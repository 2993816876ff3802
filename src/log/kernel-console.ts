import type { Machine } from "../machine/machine.ts";
import type { FileWriter } from "../machine/writers.ts";
import { parseCommandLine } from "../parameters/cmdline.ts";
import type { BootPlan } from "../plan/plan.ts";

const PRINTK = "/proc/sys/kernel/printk";
const IGNORE_LEVEL = "/sys/module/printk/parameters/ignore_loglevel";
/** The kernel's critical words and worse (levels 0 to 2 of syslog(2)) are shown whatever we do. */
const QUIET_LEVEL = 3;
/** Parameters of the kernel by which a person says how much of its log is to be on the console. */
const KERNEL_WORDS = ["debug", "ignore_loglevel", "loglevel"];

/** What the kernel shows of its log on the console: it would mix its drivers' words and a copy of our own into the narration. */
export interface KernelConsole {
  /** True where the kernel puts a record of this level (syslog(2)) on its consoles by itself: nobody wants to read a line twice. */
  shows(level: number): boolean;
  /** Keeps it silent from here on, unless the person has said how much is to be shown. */
  silence(talk: BootPlan["talk"], cmdline: Uint8Array): void;
  /** As it was before, while `act` runs. */
  aside<T>(act: () => T): T;
  /** As it was before, also when /proc has moved. */
  restore(): void;
}

/** What the kernel shows, read and set by /proc/sys/kernel/printk (proc_sys_kernel(5)). */
export function createKernelConsole(machine: Machine): KernelConsole {
  // By its descriptor: in a new root the path may lead anywhere.
  let silenced: { readonly file: FileWriter; readonly before: string } | null = null;
  let shown = 0;
  function silence(): void {
    const level = readLevel(machine);
    if (silenced !== null || level === null || level <= QUIET_LEVEL) return;
    const file = open(machine, PRINTK);
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
      // Once /proc has moved into the new root, what was last known holds.
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
  };
}

/** True where the plan or a word for the kernel asks for its log on the console. */
function isAskedFor(talk: BootPlan["talk"], cmdline: Uint8Array): boolean {
  if (talk.level === "debug" || talk.log === "kmsg") return true;
  return parseCommandLine(cmdline).words.some(({ name }) => KERNEL_WORDS.includes(name));
}

/** Records below this level are shown; null where /proc or the kernel's log is not there. */
function readShown(machine: Machine): number | null {
  const level = readLevel(machine);
  return level !== null && read(machine, IGNORE_LEVEL)?.startsWith("Y") === true ? 8 : level;
}

function readLevel(machine: Machine): number | null {
  const level = Number.parseInt(read(machine, PRINTK) ?? "", 10);
  return Number.isNaN(level) ? null : level;
}

/** null where the file cannot be read. */
function read(machine: Machine, path: string): string | null {
  try {
    return new TextDecoder().decode(machine.readFile(path));
  } catch {
    return null;
  }
}

/** null where it cannot be opened. */
function open(machine: Machine, path: string): FileWriter | null {
  try {
    return machine.openWriter(path);
  } catch {
    return null;
  }
}

/** False where it was refused: then the kernel talks on, which is no reason to stop a boot. */
function write(file: FileWriter, text: string): boolean {
  try {
    file.replace(text);
    return true;
  } catch {
    return false;
  }
}

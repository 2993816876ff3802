import type { BootPlan } from "./config/plan.ts";
import type { Console } from "./console.ts";
import type { Machine } from "./machine/machine.ts";
import { describeRefusal, printable } from "./report.ts";
import { isErrno } from "./errors.ts";
import { findBusybox, findShell } from "./steps/stay.ts";
import { findTerminal } from "./terminal.ts";

/** What `levain retry` leaves for the boot: parameters to add to the command line. */
export const RETRY_FILE = "/run/levain/retry.json";
/** The process that `levain retry` ends: the rescue shell. */
export const SHELL_PID_FILE = "/run/levain/rescue.pid";

const APPLETS = "/run/levain/applets";
const COMMANDS = "/run/levain/bin";
/** A shell that ends sooner has not been used by anybody: without a pause it would start again for ever. */
const SHORTEST_SHELL_MS = 2000;

/** Applies the failure policy. Returns when the boot is to be tried again: the person has left the shell. */
export function applyPolicy(machine: Machine, policy: BootPlan["rescue"], console: Console): readonly string[] {
  const { panicSeconds, onFailure } = policy;
  if (panicSeconds !== null && onFailure === "reboot") countDown(machine, panicSeconds, console);
  if (onFailure === "shell") {
    const shell = findShell(machine);
    if (shell !== null) {
      console.trouble(["", "`exit` or `levain retry` goes on where the boot stopped; `levain status` says where that is."]);
      return runShell(machine, shell);
    }
    console.trouble(["there is no shell in this image: add BusyBox with levain image --busybox FILE"]);
  }
  return endWithoutShell(machine, onFailure, console);
}

/** rd.break=: a shell before a step. Returns the parameters that `levain retry` was given. */
export function runBreakShell(machine: Machine, step: string, console: Console): readonly string[] {
  const shell = findShell(machine);
  if (shell === null) {
    console.warn(`rd.break=${step}: there is no shell in this image`);
    return [];
  }
  console.trouble([`stopped before the step "${step}" (rd.break): \`exit\` or \`levain retry\` goes on`]);
  return runShell(machine, shell);
}

function countDown(machine: Machine, seconds: number, console: Console): never {
  console.trouble([`the machine restarts in ${seconds} s (panic=${seconds})`]);
  machine.sleepMs(seconds * 1000);
  return end(machine, "reboot");
}

function endWithoutShell(machine: Machine, onFailure: BootPlan["rescue"]["onFailure"], console: Console): never {
  if (onFailure === "shell") {
    console.trouble(["nothing more can be done here: switch the machine off, or press Ctrl-Alt-Del"]);
    for (;;) machine.sleepMs(3_600_000);
  }
  console.trouble([`rd.emergency=${onFailure}: ${onFailure}`]);
  return end(machine, onFailure);
}

function end(machine: Machine, action: "reboot" | "poweroff" | "halt"): never {
  machine.power(action);
  throw new Error(`the kernel came back from ${action}`);
}

/** Runs the shell on the real terminal to its end; returns the parameters that `levain retry` was given. */
function runShell(machine: Machine, shell: readonly string[]): readonly string[] {
  const environment = {
    PATH: `${COMMANDS}:/usr/sbin:/usr/bin:/sbin:/bin:${APPLETS}`,
    HOME: "/",
    TERM: "linux",
    PS1: "levain:\\w# ",
  };
  installCommands(machine);
  const startMs = machine.nowMs();
  const remember = (pid: number) => machine.writeFile(SHELL_PID_FILE, `${pid}\n`);
  machine.runOnTerminal(shell, findTerminal(machine), environment, remember);
  machine.removeFile(SHELL_PID_FILE);
  if (machine.nowMs() - startMs < SHORTEST_SHELL_MS) machine.sleepMs(SHORTEST_SHELL_MS);
  return takeRetryParameters(machine);
}

/** `levain` on the path, and every BusyBox applet behind all real programs; in somebody else's image neither may be there yet. */
function installCommands(machine: Machine): void {
  const busybox = findBusybox(machine);
  try {
    for (const directory of [APPLETS, COMMANDS]) machine.makeDirectory(directory);
    if (machine.lstat(`${COMMANDS}/levain`) === null) machine.makeSymlink("/init", `${COMMANDS}/levain`);
    if (busybox !== null) machine.run([busybox, "--install", "-s", APPLETS], { capture: true });
  } catch (error) {
    if (!isErrno(error)) throw error;
    machine.writeConsole(`the shell starts without its commands: ${printable(describeRefusal(error))}\n`);
  }
}

function takeRetryParameters(machine: Machine): readonly string[] {
  if (machine.stat(RETRY_FILE) === null) return [];
  const words: unknown = JSON.parse(new TextDecoder().decode(machine.readFile(RETRY_FILE)));
  machine.removeFile(RETRY_FILE);
  return Array.isArray(words) ? words.map(String) : [];
}

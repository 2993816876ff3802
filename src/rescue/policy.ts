import { findShell } from "../filesystems/busybox.ts";
import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan, FailurePolicy } from "../plan/plan.ts";
import { report } from "../problems/report.ts";
import { runShell } from "./shell.ts";

type Policy = BootPlan["rescue"];
type PowerAction = Exclude<FailurePolicy, "shell">;

/** Applies the failure policy. Returns when the boot is to be tried again, with the parameters that `levain retry` was given: the person has left the shell. */
export function applyPolicy(machine: Machine, policy: Policy, console: Console): readonly string[] {
  if (policy.onFailure !== "shell") return endWithoutShell(machine, policy.onFailure, policy, console);
  const shell = findShell(machine);
  if (shell === null) {
    console.trouble(["there is no shell in this image; with BusyBox there is: levain image --busybox FILE"]);
    return waitForEver(machine, console);
  }
  console.trouble([
    "here is a shell: `levain status` tells where the boot stands, `exit` tries it",
    "again from there, `levain retry root=LABEL=NAME` with other parameters",
  ]);
  return runShell(machine, shell, console) ?? waitForEver(machine, console);
}

/** rd.break=: a shell before a step. Returns the parameters that `levain retry` was given. */
export function runBreakShell(machine: Machine, step: string, console: Console): readonly string[] {
  const shell = findShell(machine);
  if (shell === null) {
    console.warn(`rd.break=${step}: there is no shell in this image`);
    return [];
  }
  console.trouble([`stopped before the step "${step}" (rd.break): \`exit\` or \`levain retry\` goes on`]);
  return runShell(machine, shell, console) ?? [];
}

const VERBS: Readonly<Record<PowerAction, string>> = {
  reboot: "rebooting",
  poweroff: "powering off",
  halt: "halting",
};

function endWithoutShell(machine: Machine, action: PowerAction, policy: Policy, console: Console): never {
  const why = policy.shell ? "" : "rdshell=0 allows no shell: ";
  const seconds = Math.max(0, policy.panicSeconds ?? 0);
  console.trouble([`${why}${VERBS[action]} ${seconds === 0 ? "now" : `in ${seconds} s (panic=${seconds})`}`]);
  machine.sleepMs(seconds * 1000);
  try {
    machine.power(action);
  } catch (error) {
    console.trouble(report(error));
  }
  return waitForEver(machine, console);
}

function waitForEver(machine: Machine, console: Console): never {
  console.trouble(["nothing more can be done here: press Ctrl-Alt-Del, or switch the machine off"]);
  for (;;) machine.sleepMs(3_600_000);
}

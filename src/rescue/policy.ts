import { findShell } from "../filesystems/busybox.ts";
import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { isAttended } from "../plan/rescue-policy.ts";
import { report } from "../problems/report.ts";
import { waitForEnter } from "./countdown.ts";
import { runMenuProgram } from "./menu-program.ts";
import { runShell } from "./shell.ts";

type Policy = BootPlan["rescue"];

/**
 * Applies the failure policy; `isSafe` is false if no shell may start, as a volume is still open. Returns when the person leaves the
 * shell, with the parameters of `levain retry`: the boot is retried.
 */
export function applyPolicy(machine: Machine, policy: Policy, console: Console, isSafe = true): readonly string[] {
  const shell = findShell(machine);
  if (!isAttended(policy.onFailure)) {
    const isAsked = shell !== null && isSafe && mayStartShell(policy);
    if (!isAsked || !isShellWanted(machine, policy, console)) {
      return endWithoutShell(machine, policy.onFailure, isAsked ? { ...policy, ...AT_ONCE } : policy, console);
    }
  }
  if (!isSafe) return endWithoutShell(machine, "halt", { ...policy, ...AT_ONCE }, console);
  const menu = policy.onFailure === "menu" ? runMenuProgram(machine, policy.shell === false, console) : NO_MENU;
  if (menu.kind === "retry") return menu.words;
  if (policy.shell === false) return endWithoutShell(machine, "halt", { ...policy, ...AT_ONCE }, console);
  if (menu.kind === "failed") console.warn("the rescue menu has failed: a shell starts");
  return [...menu.words, ...runRescueShell(machine, shell, console)];
}

const NO_MENU = { kind: "shell", words: [] } as const;

function runRescueShell(machine: Machine, shell: readonly string[] | null, console: Console): readonly string[] {
  if (shell === null) {
    console.trouble(["this image has no shell: add BusyBox with levain image --busybox FILE"]);
    return waitForHands(machine, console);
  }
  const lines = [
    "rescue shell: `levain menu` offers repairs, `levain status` shows what failed,",
    "`exit` retries from there, `levain retry root=LABEL=NAME` with another root",
  ];
  return runShell(machine, shell, { console, lines }) ?? waitForHands(machine, console);
}

type Action = Exclude<Policy["onFailure"], "shell" | "menu">;

const AT_ONCE = { panicSeconds: null, afterSeconds: null } as const;

/** True if a failure may lead to a shell: at once, by the menu, or if a person presses Enter in time. */
export function mayStartShell({ onFailure, afterSeconds, shell }: Policy): boolean {
  return shell !== false && (isAttended(onFailure) || afterSeconds !== null);
}

function isShellWanted(machine: Machine, { onFailure, afterSeconds }: Policy, console: Console): boolean {
  const seconds = afterSeconds ?? 0;
  console.trouble([`${VERBS[onFailure as Action]} in ${seconds} s: press Enter twice for the rescue shell`]);
  return waitForEnter(machine, seconds);
}

/** Runs a shell before a step, for rd.break=. Returns the parameters of `levain retry`. */
export function runBreakShell(machine: Machine, step: string, console: Console): readonly string[] {
  const shell = findShell(machine);
  if (shell === null) {
    console.warn(`rd.break=${step}: this image has no shell`);
    return [];
  }
  const lines = [`stopped before the step "${step}" (rd.break): \`exit\` or \`levain retry\` continues`];
  return runShell(machine, shell, { console, lines }) ?? [];
}

const VERBS = { reboot: "rebooting", poweroff: "powering off", halt: "halting" } as const;

function endWithoutShell(machine: Machine, action: Action, policy: Policy, console: Console): never {
  const why = policy.shell ? "" : "rdshell=0 allows no shell: ";
  const { afterSeconds, panicSeconds } = policy;
  const seconds = Math.max(0, afterSeconds ?? panicSeconds ?? 0);
  const by = afterSeconds === null ? "panic" : "rd.emergency.after";
  console.trouble([`${why}${VERBS[action]} ${seconds === 0 ? "now" : `in ${seconds} s (${by}=${seconds})`}`]);
  machine.sleepMs(seconds * 1000);
  try {
    machine.power(action);
  } catch (error) {
    console.trouble(report(error));
  }
  return waitForHands(machine, console);
}

function waitForHands(machine: Machine, console: Console): never {
  console.trouble(["the boot cannot continue: press Ctrl-Alt-Del, or switch the machine off"]);
  for (;;) machine.sleepMs(3_600_000);
}

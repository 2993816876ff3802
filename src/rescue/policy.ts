import { findShell } from "../filesystems/busybox.ts";
import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { isAttended } from "../plan/rescue-policy.ts";
import { report } from "../problems/report.ts";
import { waitForEnter } from "./countdown.ts";
import { runMenuProgram } from "./menu-program.ts";
import { runShell } from "./shell.ts";
import { askShellPassword } from "./shell-password.ts";

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
  if (policy.onFailure === "menu") return runMenu(machine, shell, policy, console);
  if (shell !== null) admitOrEnd(machine, policy, console);
  return runRescueShell(machine, shell, console);
}

/** A menu that may give a shell comes after the password; without it, the menu only retries and ends the boot. */
function runMenu(
  machine: Machine,
  shell: readonly string[] | null,
  policy: Policy,
  console: Console,
): readonly string[] {
  const isLocked = policy.shell === false || (policy.shell === "ask" && !askShellPassword(machine, console, null));
  const menu = runMenuProgram(machine, isLocked, console);
  if (menu.kind === "retry") return menu.words;
  if (isLocked) return endWithoutShell(machine, "halt", { ...policy, ...AT_ONCE }, console);
  if (menu.kind === "failed") console.warn("the rescue menu has failed: a shell starts");
  return [...menu.words, ...runRescueShell(machine, shell, console)];
}

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

/** With rdshell=ask, asks for the password of the image, and ends the boot without a shell if it is not typed. */
function admitOrEnd(machine: Machine, policy: Policy, console: Console): void {
  if (policy.shell !== "ask") return;
  const { onFailure, afterSeconds, panicSeconds } = policy;
  const withoutShell = panicSeconds === null ? "halt" : "reboot";
  // Who has stopped a countdown and left must not keep the machine from going on.
  const timeoutMs = isAttended(onFailure) ? null : Math.max(LEAST_TO_TYPE_S, afterSeconds ?? 0) * 1000;
  if (askShellPassword(machine, console, timeoutMs)) return;
  console.trouble(["no shell without the password (rdshell=ask)"]);
  endWithoutShell(
    machine,
    isAttended(onFailure) ? withoutShell : onFailure,
    { ...policy, afterSeconds: null },
    console,
  );
}

/** Seconds. */
const LEAST_TO_TYPE_S = 60;

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
export function runBreakShell(machine: Machine, step: string, policy: Policy, console: Console): readonly string[] {
  const shell = findShell(machine);
  if (shell === null) {
    console.warn(`rd.break=${step}: this image has no shell`);
    return [];
  }
  admitOrEnd(machine, policy, console);
  const lines = [`stopped before the step "${step}" (rd.break): \`exit\` or \`levain retry\` continues`];
  return runShell(machine, shell, { console, lines }) ?? [];
}

const VERBS = { reboot: "rebooting", poweroff: "powering off", halt: "halting" } as const;

function endWithoutShell(machine: Machine, action: Action, policy: Policy, console: Console): never {
  const why = policy.shell === false ? "rdshell=0 allows no shell: " : "";
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

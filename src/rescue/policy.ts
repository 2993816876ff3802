import { findShell } from "../filesystems/busybox.ts";
import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { isAttended, waitsForPerson } from "../plan/rescue-policy.ts";
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
  if (!waitsForPerson(policy)) {
    const isAsked = isSafe && (policy.onFailure === "menu" || (shell !== null && mayStartShell(policy)));
    if (!isAsked || !isPersonThere(machine, policy, console)) {
      return endWithoutShell(machine, actionOf(policy), isAsked ? { ...policy, ...AT_ONCE } : policy, console);
    }
  }
  if (!isSafe) return endWithoutShell(machine, "halt", { ...policy, ...AT_ONCE }, console);
  if (policy.onFailure === "menu") return runMenu(machine, shell, policy, console);
  return runRescueShell(machine, shell, console, shell === null ? null : admitOrEnd(machine, policy, console));
}

/** With rdshell=ask the password gives a shell, at its terminal: a menu would be on every console. Without it, the menu only retries and ends the boot. */
function runMenu(
  machine: Machine,
  shell: readonly string[] | null,
  policy: Policy,
  console: Console,
): readonly string[] {
  const admitted =
    policy.shell === "ask" && shell !== null ? askShellPassword(machine, console, passwordTimeMs(policy)) : null;
  if (admitted !== null) return runRescueShell(machine, shell, console, admitted);
  const isLocked = policy.shell === false || policy.shell === "ask";
  const menu = runMenuProgram(machine, isLocked, console);
  if (menu.kind === "retry") return menu.words;
  if (isLocked) return endWithoutShell(machine, withoutShell(policy), { ...policy, afterSeconds: null }, console);
  if (menu.kind === "failed") console.warn("the rescue menu has failed: a shell starts");
  return [...menu.words, ...runRescueShell(machine, shell, console)];
}

function runRescueShell(
  machine: Machine,
  shell: readonly string[] | null,
  console: Console,
  only: string | null = null,
): readonly string[] {
  if (shell === null) {
    console.trouble(["this image has no shell: add BusyBox with levain image --busybox FILE"]);
    return waitForHands(machine, console);
  }
  const lines = [
    "rescue shell: `levain menu` offers repairs, `levain status` shows what failed,",
    "`exit` retries from there, `levain retry root=LABEL=NAME` with another root",
  ];
  return runShell(machine, shell, { console, lines }, only) ?? waitForHands(machine, console);
}

/** What a failure ends in where a person should decide, and may have no shell. */
const withoutShell = ({ panicSeconds }: Policy): Action => (panicSeconds === null ? "halt" : "reboot");

/** With rdshell=ask, asks for the password of the image, and ends the boot without a shell if it is not typed. Returns the only terminal for the shell, or null. */
function admitOrEnd(machine: Machine, policy: Policy, console: Console): string | null {
  if (policy.shell !== "ask") return null;
  const { onFailure } = policy;
  const admitted = askShellPassword(machine, console, passwordTimeMs(policy));
  if (admitted !== null) return admitted;
  console.trouble(["no shell without the password (rdshell=ask)"]);
  const action = isAttended(onFailure) ? withoutShell(policy) : onFailure;
  return endWithoutShell(machine, action, { ...policy, afterSeconds: null }, console);
}

/** Seconds. */
const LEAST_TO_TYPE_S = 60;

/** A person who has stopped a countdown and left must not keep the machine from going on. */
function passwordTimeMs(policy: Policy): number | null {
  return waitsForPerson(policy) ? null : Math.max(LEAST_TO_TYPE_S, policy.afterSeconds ?? 0) * 1000;
}

type Action = Exclude<Policy["onFailure"], "shell" | "menu">;

const AT_ONCE = { panicSeconds: null, afterSeconds: null } as const;

/** True if a failure may lead to a shell: at once, by the menu, or if a person presses Enter in time. */
export function mayStartShell({ onFailure, afterSeconds, shell }: Policy): boolean {
  return shell !== false && (isAttended(onFailure) || afterSeconds !== null);
}

/** What a countdown ends in. The menu has no action of its own: a machine that is to wait for a person for so long only tries again. */
const actionOf = ({ onFailure }: Policy): Action => (isAttended(onFailure) ? "reboot" : onFailure);

function isPersonThere(machine: Machine, policy: Policy, console: Console): boolean {
  const seconds = policy.afterSeconds ?? 0;
  const what = policy.onFailure === "menu" ? "menu" : "shell";
  console.trouble([`${VERBS[actionOf(policy)]} in ${seconds} s: press Enter twice for the rescue ${what}`]);
  return waitForEnter(machine, seconds);
}

/** Runs a shell before a step, for rd.break=. Returns the parameters of `levain retry`. */
export function runBreakShell(machine: Machine, step: string, policy: Policy, console: Console): readonly string[] {
  const shell = findShell(machine);
  if (shell === null) {
    console.warn(`rd.break=${step}: this image has no shell`);
    return [];
  }
  const only = admitOrEnd(machine, policy, console);
  const lines = [`stopped before the step "${step}" (rd.break): \`exit\` or \`levain retry\` continues`];
  return runShell(machine, shell, { console, lines }, only) ?? [];
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

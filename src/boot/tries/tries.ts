import type { Attempt, BootRecord } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { isAttended, type PlanOfRescue } from "../../plan/rescue-policy.ts";
import type { Voice } from "../../problems/voice.ts";
import { parseBootCount, readBootCount } from "./boot-count.ts";
import { readBootedSlot } from "./slot-file.ts";

/**
 * Returns the tries that are counted for this boot: of the boot loader's entry, and of the slot. The first is an EFI variable, and to list
 * these takes a while: only who boots unattended, and a boot that has failed, asks for it.
 */
export function readAttempts(
  machine: Machine,
  voice: Voice,
  slots: BootPlan["slots"],
  asksBootLoader: boolean,
): readonly Attempt[] {
  const booted = slots === null ? null : readBootedSlot(machine);
  const entry = asksBootLoader ? readEntry(machine, voice, booted?.entryPath ?? null) : null;
  return [...(entry === null ? [] : [entry]), ...(booted === null ? [] : [attemptOf(booted)])];
}

/** Mounts no variables of the firmware if the choice of the slot has read them. */
function readEntry(machine: Machine, voice: Voice, path: string | null): Attempt | null {
  return path === null ? readBootCount(machine, voice) : parseBootCount(path);
}

function attemptOf({
  booted,
  tries,
  left,
  isCounted,
  isKept,
}: NonNullable<ReturnType<typeof readBootedSlot>>): Attempt {
  const what = `slot ${booted}`;
  return isCounted && isKept
    ? { what, number: tries - left, most: tries, left }
    : { what, number: 0, most: 0, left: 0 };
}

/** Formats a try: "slot A: try 1 of 3". */
export function describeAttempt({ what, number, most, left }: Attempt): string {
  if (most === 0) return `${what}: not counted`;
  return `${what}: try ${Math.max(1, number)} of ${most}${left === 0 ? ", the last" : ""}`;
}

/**
 * Returns what a failure needs, and puts the tries into the record. While another try is left, a machine that would power off or halt
 * reboots, as the next try may do better.
 */
export function planWithTries(
  machine: Machine,
  voice: Voice,
  record: BootRecord,
  plans: { readonly current: () => BootPlan | null; readonly currentOrLess: () => PlanOfRescue },
): PlanOfRescue {
  const { rescue, modules } = plans.currentOrLess();
  record.attempts = [...readAttempts(machine, voice, plans.current()?.slots ?? null, true)];
  const reboots = !isAttended(rescue.onFailure) && record.attempts.some(({ left }) => left > 0);
  return { rescue: reboots ? { ...rescue, onFailure: "reboot" } : rescue, modules };
}

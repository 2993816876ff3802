import type { StoragePlan } from "../contract.ts";

/** How long a missing member is waited for, as mdadm's timer "last-resort" does: a disk may take long to spin up. */
const GRACE_MS = 30_000;
/** A boot with a shorter limit starts a degraded array before it gives up. */
const GRACE_SHARE = 2 / 3;
/** For a match on a device that anyone can plug in, if no parameter speaks of encryption: a disk has spun up by then. */
export const STICK_MS = 10_000;

/** Returns what is left of the time in which the missing members of something, known by its UUID, may appear. */
export function createGrace(
  nowMs: () => number,
  { rootTimeoutMs }: Pick<StoragePlan, "rootTimeoutMs">,
  longestMs = GRACE_MS,
): (uuid: string) => number {
  const graceMs = Math.min(longestMs, (rootTimeoutMs ?? Number.POSITIVE_INFINITY) * GRACE_SHARE);
  const sinceMs = new Map<string, number>();
  return (uuid) => {
    const since = sinceMs.get(uuid) ?? nowMs();
    sinceMs.set(uuid, since);
    return since + graceMs - nowMs();
  };
}

/** The same for a disk of the machine in whose place a stick is: UUIDs are public. */
export function createStickGrace(nowMs: () => number, plan: Pick<StoragePlan, "rootTimeoutMs">) {
  return createGrace(nowMs, plan, STICK_MS);
}

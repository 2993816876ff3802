import type { Context } from "../../drivers/context.ts";
import type { BootPlan, PersistencePlan } from "../../plan/plan.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { createSearch, type Search } from "../../storage/search.ts";
import { type Candidate, createCandidateSearch, type MediumPlace } from "./candidates.ts";

/** How long a disk may take to appear that is plugged in beside the medium. */
const LATE_MS = 5000;

/**
 * Returns the persistence volumes: those on the disk of the medium or, if it has none, those on one other disk. Anyone can make
 * a stick with such a name, so of two other disks none is chosen. Throws BootError for these; empty if there is no volume.
 */
export function findVolumes(
  context: Context,
  plan: BootPlan & { readonly persistence: PersistencePlan },
  medium: MediumPlace,
): readonly Candidate[] {
  // It only looks at devices: nothing is unlocked before a volume is chosen.
  const crypt = { ...plan.crypt, volumes: [], everyLuks: false };
  const search = createSearch(context, { ...plan, crypt, verity: [], roots: [] });
  try {
    return waitForVolumes(context, plan.persistence, search, medium);
  } finally {
    search.close();
  }
}

function waitForVolumes(
  context: Context,
  plan: PersistencePlan,
  search: Search,
  medium: MediumPlace,
): readonly Candidate[] {
  const { machine, voice, drivers } = context;
  const candidates = createCandidateSearch(context, plan, search, medium);
  let deadlineMs: number | null = null;
  for (;;) {
    search.takeEvents(0);
    search.settle();
    const own = candidates.list("medium");
    if (own.length > 0) return own;
    if (drivers.loadMore()) continue;
    const others = candidates.list("elsewhere");
    if (others.length > 0) return requireOneDisk(others);
    const names = printable(plan.volumes.map(({ name }) => name).join(" or "));
    if (deadlineMs === null) voice.progress(`waiting ${LATE_MS / 1000} s for a volume named ${names}`);
    deadlineMs ??= machine.nowMs() + LATE_MS;
    const leftMs = deadlineMs - machine.nowMs();
    if (leftMs <= 0) return [];
    search.takeEvents(leftMs);
  }
}

function requireOneDisk(candidates: readonly Candidate[]): readonly Candidate[] {
  const disks = new Set(candidates.map(({ disk }) => disk));
  if (disks.size === 1) return candidates;
  throw problem("persistence-ambiguous", { volumes: candidates.map(describeCandidate) });
}

/** Returns the device and the file on it, safe to print. */
export function describeCandidate({ node, file }: Candidate): string {
  return printable(`${node}${file ?? ""}`);
}

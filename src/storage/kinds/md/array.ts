import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { ArrayMember } from "../../../formats/containers/md-member.ts";

/** A device that is a member of an array. */
export interface Member {
  readonly device: BlockDevice;
  readonly info: ArrayMember;
}

/** What can be done with the members that are present. */
export type ArrayState = Members &
  (
    | /** complete: every place is taken. degraded: some are not, but the data are all there. incomplete: too few members. */
    { readonly kind: "complete" | "degraded" | "incomplete"; readonly why: null }
    /** The array could be damaged: why, in a clause. */
    | { readonly kind: "refused"; readonly why: string }
  );

interface Members {
  /** The members to start it with, the newest first; spares last. */
  readonly used: readonly Member[];
  /** Those that were absent when the array was written to last, or that it has given up. */
  readonly stale: readonly Member[];
  /** The places without a member, from 0. */
  readonly missing: readonly number[];
  /** How many members hold data. */
  readonly total: number;
}

/** md_run() of the kernel leaves out a member that is behind by more than this. */
const MOST_BEHIND = 1n;

/** Decides about an array by its members, of which there is at least one. Those with the newest event count know best what it is. */
export function judgeArray(members: readonly [Member, ...Member[]]): ArrayState {
  const [newest] = members.toSorted((one, other) => Number(other.info.events - one.info.events)) as [Member];
  const isCurrent = ({ info }: Member) =>
    info.events + MOST_BEHIND >= newest.info.events && info.role !== "faulty" && isAlike(info, newest.info);
  const current = members.filter(isCurrent);
  const total = newest.info.disks;
  const placed = current.filter(({ info }) => typeof info.role === "number" && info.role < total);
  const taken = new Set(placed.map(({ info }) => info.role));
  const missing = Array.from({ length: Math.min(total, MOST_DISKS) }, (_, place) => place).filter(
    (place) => !taken.has(place),
  );
  const others = current.filter((member) => !placed.includes(member));
  const found = {
    used: [...placed.toSorted((one, other) => Number(other.info.events - one.info.events)), ...others],
    stale: members.filter((member) => !isCurrent(member)),
    missing,
    total,
  };
  const why = refuse(newest.info, placed, others, missing);
  if (why !== null) return { ...found, kind: "refused", why };
  if (missing.length === 0) return { ...found, kind: "complete", why: null };
  return { ...found, kind: isEnough(newest.info, taken) ? "degraded" : "incomplete", why: null };
}

/** Of a superblock; a crafted one may say any number. */
const MOST_DISKS = 384;

/** A member of an array with another shape is older or crafted. */
function isAlike(one: ArrayMember, other: ArrayMember): boolean {
  return one.metadata === other.metadata && one.level === other.level && one.disks === other.disks;
}

function refuse(
  { isReshaping, isClean, hasJournal, level, disks }: ArrayMember,
  placed: readonly Member[],
  others: readonly Member[],
  missing: readonly number[],
): string | null {
  if (![-1, 0, 1, 4, 5, 6, 10].includes(level)) return `its level ${level} is not known`;
  if (disks < 1 || disks > MOST_DISKS) return `it has ${disks} members, which cannot be`;
  const twice = placed.find(({ info }, index) => placed.findIndex((other) => other.info.role === info.role) !== index);
  if (twice !== undefined) return `two devices are its member ${String(twice.info.role)}: one is a copy of the other`;
  if (isReshaping) return "a reshape of it was interrupted, which mdadm has to continue";
  if (hasJournal && !others.some(({ info }) => info.role === "journal")) return "its journal device is missing";
  const isParity = level === 4 || level === 5 || level === 6;
  if (isParity && missing.length > 0 && !isClean) return "it was not stopped cleanly, and a member is missing";
  return null;
}

/** True if the data can be read from the members in these places. */
function isEnough({ level, disks, layout }: ArrayMember, taken: ReadonlySet<unknown>): boolean {
  const lost = disks - taken.size;
  if (level === 1) return taken.size > 0;
  if (level === 4 || level === 5) return lost <= 1;
  if (level === 6) return lost <= 2;
  return level === 10 ? hasEveryBlock(disks, layout, taken) : lost === 0;
}

/** As _enough() of drivers/md/raid10.c: the copies of a block are on members in a row, and blocks begin after each set of near copies. */
function hasEveryBlock(disks: number, layout: number, taken: ReadonlySet<unknown>): boolean {
  const near = layout & 0xff;
  const copies = near * ((layout >> 8) & 0xff);
  if (copies === 0 || copies > disks) return false;
  let first = 0;
  do {
    const places = Array.from({ length: copies }, (_, next) => (first + next) % disks);
    if (!places.some((place) => taken.has(place))) return false;
    first = (first + near) % disks;
  } while (first !== 0);
  return true;
}

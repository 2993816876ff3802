import { PAGE, PROT_READ, type ProgramMemory } from "./memory.ts";

/** Consecutive pages of one region. */
export type Run = Readonly<{ page: number; count: number }>;

/** LZ4 takes a fifth of zstd's time to unpack, and a third more room. */
export type Codec = "none" | "lz4" | "zstd";

/** Pages that are compressed together: if one is touched, those in the same `step` pages of memory get there with it. */
export type Group = Readonly<{ runs: readonly Run[]; step: number; codec: Codec }>;

/** Where the pages of a program are in its store, each page once. */
export type PagePlan = Readonly<{ groups: readonly Group[]; zeros: readonly Run[] }>;

/** Pages that are touched together. A following set is needed some time after the one before it. */
export type PageSet = Readonly<{ pages: ReadonlySet<number>; isFollowing: boolean }>;

/** The first set is that of every boot. A page of several sets counts for the first. */
export type PageSets = readonly PageSet[];

/** The pages of the bundle that have the bytecode of a boot, and what it shares with the rest: from `first` to the page `end`. */
export type Bundle = Readonly<{ first: number; end: number }>;

/** 4 MiB: what check_store of store.c allows, which limits the memory for unpacking. */
export const MOST_PAGES = 1024;
/** 1 MiB, of pages that are touched together. */
const SET_PAGES = 256;
/** 128 KiB: every boot touches places all over the bundle, which is another one after each commit; LZ4 where they are many. */
const BUNDLE_PAGES = 32;
/** 1 MiB, of pages that hardly any boot touches: four times as many save 5 % of them, and take four times as long to unpack. */
const COLD_PAGES = 256;
/** 128 KiB of a group that hardly any boot touches get into memory at once: what is beside a page is likely to be touched, too. */
const COLD_STEP = 32;
/** The steps of groups that get into memory as a whole; as in pager.h. */
const WHOLE_GROUP = 0xffffffff;
/** Its pages are mapped from the file. */
const PLAIN_GROUP = 0xfffffffe;
/** Gets into memory some time after the group before it, even if none of its pages has been touched. */
const FOLLOWING_GROUP = 0xfffffffd;
/** Shorter runs of zeros cost less in a group than as a mapping. */
const LEAST_ZEROS = 16;

type Kind = number | "cold" | "zero";
type KindRun = { kind: Kind; page: number; count: number };

/** Decides how each page of the program is stored, in groups of up to `most` pages. */
export function planPages(
  memory: ProgramMemory,
  sets: PageSets,
  most: number,
  bundle: Bundle = { first: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY },
): PagePlan {
  const regions = memory.regions.map(({ address, fileEnd }) =>
    classify(memory, address / PAGE, fileEnd / PAGE, (page) => sets.findIndex(({ pages }) => pages.has(page))),
  );
  // LZ4 halves constants and libraries, or better; of what every boot touches, code and variables are mapped as they are.
  const hasData = memory.regions.map(({ protection }) => protection === PROT_READ);
  const all = regions.flat();
  const together = sets.flatMap(({ isFollowing }, index) => {
    const size = Math.min(most, SET_PAGES);
    // Also one that follows a prompt: a boot that starts another process, as for NFS, touches half of its pages without one.
    if (index > 0) return groupRuns(ofKind(all, index), size, isFollowing ? FOLLOWING_GROUP : WHOLE_GROUP, "lz4");
    const inRegions = (areData: boolean) => regions.filter((_, region) => hasData[region] === areData).flat();
    return [
      ...groupRuns(ofKind(inRegions(false), index), most, PLAIN_GROUP, "none"),
      ...groupRuns(ofKind(inRegions(true), index), size, WHOLE_GROUP, "lz4"),
    ];
  });
  const cold = regions.flatMap((runs) => {
    const [runtime, others] = splitAt(ofKind(runs, "cold"), bundle.first);
    const [shared, rest] = splitAt(others, bundle.end);
    return [
      ...groupRuns(runtime, Math.min(most, COLD_PAGES), COLD_STEP, "zstd"),
      ...groupRuns(shared, Math.min(most, BUNDLE_PAGES), WHOLE_GROUP, "lz4"),
      ...groupRuns(rest, Math.min(most, BUNDLE_PAGES), WHOLE_GROUP, "zstd"),
    ];
  });
  return { groups: [...together, ...cold], zeros: ofKind(all, "zero") };
}

function splitAt(runs: readonly Run[], place: number): [Run[], Run[]] {
  const before = runs.map(({ page, count }) => ({ page, count: Math.min(count, place - page) }));
  const behind = runs.map(({ page, count }) => {
    const first = Math.max(page, place);
    return { page: first, count: page + count - first };
  });
  return [before.filter(({ count }) => count > 0), behind.filter(({ count }) => count > 0)];
}

function ofKind(runs: readonly KindRun[], wanted: Kind): Run[] {
  return runs.filter(({ kind }) => kind === wanted).map(({ page, count }) => ({ page, count }));
}

function classify(memory: ProgramMemory, first: number, end: number, setOf: (page: number) => number): KindRun[] {
  const kinds: Kind[] = Array.from({ length: end - first }, (_, index) => {
    const set = setOf(first + index);
    return set === -1 ? "cold" : set;
  });
  for (const { page, count } of zeroRuns(memory, first, end)) kinds.fill("zero", page - first, page - first + count);
  return runsOf(kinds, first);
}

function zeroRuns(memory: ProgramMemory, first: number, end: number): Run[] {
  const zeros = Buffer.alloc(PAGE);
  const bytes = memory.read(first, end - first);
  const kinds = Array.from({ length: end - first }, (_, index): Kind => {
    return bytes.subarray(index * PAGE, (index + 1) * PAGE).equals(zeros) ? "zero" : "cold";
  });
  return ofKind(runsOf(kinds, first), "zero").filter(({ count }) => count >= LEAST_ZEROS);
}

function runsOf(kinds: readonly Kind[], first: number): KindRun[] {
  const runs: KindRun[] = [];
  for (const [index, kind] of kinds.entries()) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.count++;
    else runs.push({ kind, page: first + index, count: 1 });
  }
  return runs;
}

function groupRuns(runs: readonly Run[], size: number, step: number, codec: Codec): Group[] {
  const groups: Run[][] = [];
  let room = 0;
  for (const { page, count } of runs) {
    for (let done = 0; done < count; ) {
      if (room === 0) {
        groups.push([]);
        room = size;
      }
      const taken = Math.min(room, count - done);
      groups.at(-1)?.push({ page: page + done, count: taken });
      done += taken;
      room -= taken;
    }
  }
  return groups.map((each) => ({ runs: each, step, codec }));
}

import { PAGE, type ProgramMemory } from "./memory.ts";

/** Consecutive pages of one region. */
export type Run = Readonly<{ page: number; count: number }>;

/** Where the pages of a program are in its store, each page once, in the order of their addresses. */
export type PagePlan = Readonly<{
  /** Compressed together. */
  groups: readonly (readonly Run[])[];
  /** Mapped from the file as they are; or zero. */
  mapped: readonly (Run & { readonly isZero: boolean })[];
}>;

/** 128 KiB: twice as much saves 2 % of the image, and costs twice the time of a fault. */
const GROUP_PAGES = 32;
/** Fewer cold pages between hot ones are mapped with them: each mapping costs the boot 3 µs. */
const LEAST_GAP = 3;
/** Shorter runs of zeros cost less in a group than as a mapping. */
const LEAST_ZEROS = 16;

type Kind = "hot" | "cold" | "zero";

/** Decides how each page of the program is stored. `isHot` is asked about page numbers. */
export function planPages(memory: ProgramMemory, isHot: (page: number) => boolean): PagePlan {
  const groups: Run[][] = [];
  const mapped: (Run & { isZero: boolean })[] = [];
  for (const { address, fileEnd } of memory.regions) {
    const runs = classify(memory, address / PAGE, fileEnd / PAGE, isHot);
    groups.push(...groupRuns(runs.filter(({ kind }) => kind === "cold")));
    for (const { kind, page, count } of runs) {
      if (kind !== "cold") mapped.push({ page, count, isZero: kind === "zero" });
    }
  }
  return { groups, mapped };
}

type KindRun = Run & { readonly kind: Kind };

function classify(memory: ProgramMemory, first: number, end: number, isHot: (page: number) => boolean): KindRun[] {
  const pages: Kind[] = Array.from({ length: end - first }, (_, index) => (isHot(first + index) ? "hot" : "cold"));
  for (const { page, count } of runsOf(zeroPages(memory, first, end), first)) {
    if (count >= LEAST_ZEROS) pages.fill("zero", page - first, page - first + count);
  }
  const runs = kindRuns(pages, first);
  for (const [index, { kind, page, count }] of runs.entries()) {
    const isGap = kind === "cold" && count < LEAST_GAP && [-1, 1].every((side) => runs[index + side]?.kind === "hot");
    if (isGap) pages.fill("hot", page - first, page - first + count);
  }
  return kindRuns(pages, first);
}

function zeroPages(memory: ProgramMemory, first: number, end: number): boolean[] {
  const zeros = Buffer.alloc(PAGE);
  const bytes = memory.read(first, end - first);
  return Array.from({ length: end - first }, (_, index) =>
    bytes.subarray(index * PAGE, (index + 1) * PAGE).equals(zeros),
  );
}

function kindRuns(pages: readonly Kind[], first: number): KindRun[] {
  const runs: { kind: Kind; page: number; count: number }[] = [];
  for (const [index, kind] of pages.entries()) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.count++;
    else runs.push({ kind, page: first + index, count: 1 });
  }
  return runs;
}

function runsOf(flags: readonly boolean[], first: number): Run[] {
  return kindRuns(
    flags.map((flag) => (flag ? "zero" : "cold")),
    first,
  ).filter(({ kind }) => kind === "zero");
}

/** Cuts runs into groups of GROUP_PAGES pages. */
function groupRuns(runs: readonly Run[]): Run[][] {
  const groups: Run[][] = [];
  let room = 0;
  for (const { page, count } of runs) {
    for (let done = 0; done < count; ) {
      if (room === 0) {
        groups.push([]);
        room = GROUP_PAGES;
      }
      const taken = Math.min(room, count - done);
      groups.at(-1)?.push({ page: page + done, count: taken });
      done += taken;
      room -= taken;
    }
  }
  return groups;
}

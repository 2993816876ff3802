import { statSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../test/support/cache.ts";
import { debianKernel, type KernelFlavour } from "../test/support/kernels.ts";
import { type Candidate, provideImage } from "./candidates.ts";
import type { Purpose } from "./chroots.ts";
import { findSmallestMemory, timeBoot } from "./guest.ts";

/** A row of the table: what was measured, in which unit, and what levain aims at. */
export interface Row {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  readonly aim: string;
}

/** Figures of one measurement by the key of their row. */
export type Figures = Readonly<Record<string, number | null>>;

/** A part of the benchmark, which `--only` and `--skip` select by its name. */
export interface Part {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly purpose: Purpose;
  readonly kernel: KernelFlavour;
  /** Measured so often in turns; what counts instructions or bytes is the same each time. */
  readonly isRepeated: boolean;
  readonly measure: (candidate: Candidate, part: Part) => Promise<Figures>;
}

const MEMORY_MIB = 512;
const SECOND = 1000;

const row = (key: string, title: string, digits: number, aim = ""): Row => ({ key, title, digits, aim });

/** The parts of the benchmark, in the order of the table. docs/performance.md explains them. */
export const PARTS: readonly Part[] = [
  {
    name: "icount",
    rows: [
      row("icount", "ext4: kernel start → init, icount, s", 1, "4.3"),
      row("icount-init", "ext4: `Run /init` → init, icount, s", 2),
    ],
    ...{ purpose: "disk", kernel: "cloud", isRepeated: false },
    measure: async (candidate, part) => {
      const { startMs, initMs } = await time(candidate, part, true);
      return { icount: initMs / SECOND, "icount-init": (initMs - startMs) / SECOND };
    },
  },
  {
    name: "wall",
    rows: [
      row("wall", "ext4: kernel start → init, wall clock, s", 1, "below initramfs-tools dep"),
      row("wall-init", "ext4: `Run /init` → init, wall clock, s", 2),
    ],
    ...{ purpose: "disk", kernel: "cloud", isRepeated: true },
    measure: async (candidate, part) => {
      const { startMs, initMs } = await time(candidate, part, false);
      return { wall: initMs / SECOND, "wall-init": (initMs - startMs) / SECOND };
    },
  },
  {
    name: "live",
    rows: [row("live", "live medium: kernel start → init, icount, s", 1, "5.2")],
    ...{ purpose: "live", kernel: "cloud", isRepeated: false },
    measure: async (candidate, part) => ({ live: (await time(candidate, part, true)).initMs / SECOND }),
  },
  {
    name: "luks",
    rows: [
      row("prompt", "LUKS: kernel start → prompt, icount, s", 1, "4.2"),
      row("enter", "LUKS: Enter → init, icount, s", 2, "0.5"),
    ],
    ...{ purpose: "luks", kernel: "cloud", isRepeated: false },
    measure: async (candidate, part) => {
      const { promptMs, enterMs, initMs } = await time(candidate, part, true);
      return { prompt: promptMs / SECOND, enter: (initMs - enterMs) / SECOND };
    },
  },
  {
    name: "size",
    rows: [row("size", "image, MiB", 1, "42; one machine: 36")],
    ...{ purpose: "disk", kernel: "cloud", isRepeated: false },
    measure: async (candidate, part) => ({ size: statSync(await imageOf(candidate, part)).size / (1 << 20) }),
  },
  {
    name: "build",
    rows: [row("build", "building it, wall clock, s", 1, "1.0")],
    ...{ purpose: "disk", kernel: "cloud", isRepeated: true },
    measure: async (candidate, { kernel, purpose }) => {
      const output = join(scratchDirectory(), "image");
      const files = await debianKernel(kernel);
      const startMs = performance.now();
      await candidate.make(files, purpose, output);
      return { build: (performance.now() - startMs) / SECOND };
    },
  },
  {
    name: "memory",
    rows: [row("memory", "smallest memory, MiB", 0, "184, then 160")],
    ...{ purpose: "disk", kernel: "cloud", isRepeated: false },
    measure: async (candidate, part) => ({ memory: await memory(candidate, part) }),
  },
  {
    name: "full-memory",
    rows: [row("full-memory", "smallest memory, Debian's full kernel, MiB", 0, "256")],
    ...{ purpose: "disk", kernel: "full", isRepeated: false },
    measure: async (candidate, part) => ({ "full-memory": await memory(candidate, part) }),
  },
];

/** Returns true if the part says something about the candidate. */
export function applies({ purpose, kernel }: Part, { purposes, serves }: Candidate): boolean {
  return purposes.includes(purpose) && (kernel === "cloud" || serves === "any");
}

const images = new Map<string, Promise<string>>();

async function imageOf(candidate: Candidate, { kernel, purpose }: Part): Promise<string> {
  const key = `${candidate.name} ${kernel} ${purpose}`;
  const made = images.get(key) ?? provideImage(candidate, await debianKernel(kernel), purpose);
  images.set(key, made);
  return made;
}

async function time(candidate: Candidate, part: Part, icount: boolean) {
  return timeBoot({ ...(await guestOf(candidate, part)), icount, memoryMib: MEMORY_MIB });
}

async function memory(candidate: Candidate, part: Part): Promise<number | null> {
  return findSmallestMemory(await guestOf(candidate, part));
}

async function guestOf(candidate: Candidate, part: Part) {
  const { name, family } = candidate;
  return { name, family, image: await imageOf(candidate, part), purpose: part.purpose, kernel: part.kernel };
}

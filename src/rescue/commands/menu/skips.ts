import type { BootPlan } from "../../../plan/plan.ts";

/** A part of the boot that it can do without, and the parameters that leave it out. */
export interface Skip {
  readonly text: string;
  readonly words: readonly string[];
}

interface Row extends Skip {
  readonly isPlanned: (plan: BootPlan) => boolean;
}

/** THE table of what may be left out. */
const ROWS: readonly Row[] = [
  {
    text: "show the changes that are kept, but keep new ones in memory only",
    words: ["rd.overlay.readonly"],
    isPlanned: ({ overlay, persistence }) => persistence !== null || overlay?.kind === "store",
  },
  {
    text: "leave out the changes that are kept, and keep new ones in memory only",
    words: ["rd.overlay=tmpfs"],
    isPlanned: ({ overlay }) => overlay?.kind === "store",
  },
  {
    text: "leave out the changes that are kept, and keep new ones in memory only",
    words: ["nopersistence"],
    isPlanned: ({ persistence }) => persistence !== null,
  },
  {
    text: "do not check the filesystem of the root",
    words: ["fsck.mode=skip"],
    isPlanned: ({ rootCheck, image }) => rootCheck !== "skip" && image === null,
  },
  {
    text: "do not mount lines of the root's /etc/fstab",
    words: ["rd.fstab=no"],
    isPlanned: ({ submounts, root }) => submounts.fstab && root.kind !== "none",
  },
  {
    text: "do not resume a hibernated system: its unsaved work is lost",
    words: ["noresume"],
    isPlanned: ({ resume }) => !resume.isOff && (resume.device !== null || resume.asksFirmware),
  },
  {
    text: "go on without the network, if the root does not need it",
    words: ["rd.neednet=no"],
    isPlanned: ({ network }) => network.isNeeded && network.isOptional,
  },
  {
    text: "do not copy the image to memory",
    words: ["rd.live.ram=no"],
    isPlanned: ({ image }) => image?.copyToRam === true,
  },
];

/** Lists what a boot by this plan may leave out. */
export function listSkips(plan: BootPlan): readonly Skip[] {
  const rows = ROWS.filter(({ isPlanned }) => isPlanned(plan));
  return rows.map(({ text, words }) => ({ words, text: `${text} (${words.join(" ")})` }));
}

/** The steps of a boot in their order, as rd.break=, /run/levain/boot.json and the console name them. */
export const STEP_NAMES = ["prepare", "modules", "root", "mount", "layers", "init", "handover"] as const;
export type StepName = (typeof STEP_NAMES)[number];

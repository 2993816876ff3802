import { planMachine } from "../../../boot/plan-reader.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { BootPlan } from "../../../plan/plan.ts";
import type { Voice } from "../../../problems/voice.ts";
import { readKept } from "../../shell.ts";

/**
 * Returns the parameters that leave out what the command line says of an image, if `words` choose a root that is none: levain would look
 * for the image there, and the changes that are kept belong to the image. Throws BootError if no plan is possible with them.
 */
export function leaveOutImage(machine: Machine, voice: Voice, words: readonly string[]): readonly string[] {
  const plan = (more: readonly string[]): BootPlan =>
    planMachine(machine, voice, { added: [...readKept(machine), ...words, ...more] }).plan;
  if (words.some((word) => word.startsWith("rd.image=")) || !isOfImage(plan([]))) return [];
  const noImage = ["rd.image=no"];
  return plan(noImage).overlay === null ? noImage : [...noImage, "rd.overlay=no"];
}

const isOfImage = ({ image, layers }: BootPlan) => image !== null || layers.length > 0;

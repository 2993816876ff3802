import type { Context } from "../../drivers/context.ts";
import { readEfiVariable } from "../../filesystems/efi-variables.ts";
import { type HibernateLocation, parseHibernateLocation } from "../../formats/hibernation/location.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { Voice } from "../../problems/voice.ts";
import { resume } from "./resume.ts";

/** The vendor GUID is systemd's (SD_ID128_MAKE of its efivars.h). */
const HIBERNATION = "HibernateLocation-8cf2644b-4b0b-428f-9387-6d876050dc67";

/** Returns where systemd says that it has hibernated; null if it does not, or says it in a way that levain does not understand. */
function readHibernateLocation(machine: Machine, voice: Voice): HibernateLocation | null {
  const value = readEfiVariable(machine, voice, HIBERNATION, "a system that systemd hibernated is not resumed");
  if (value === null) return null;
  const location = parseHibernateLocation(value);
  if (location === null)
    voice.warn("the EFI variable HibernateLocation does not name a device and an offset, ignoring it");
  return location;
}

/** Does what `resume` does, from where systemd says that it has hibernated. */
export function resumeByFirmware(context: Context, plan: BootPlan): string {
  const location = readHibernateLocation(context.machine, context.voice);
  if (location === null) return "";
  const { uuid, offset, kernel } = location;
  return resume(context, { ...plan, resume: { ...plan.resume, device: { by: "uuid", value: uuid }, offset, kernel } });
}

/**
 * The step "resume". Opening what dm-integrity checks replays its journal, which a hibernated system goes on writing: then systemd's
 * variable is read here, as resume= is. Otherwise it is read where a root turns out to be in use.
 */
export function resumeFirst(context: Context, plan: BootPlan): string {
  return asksEarly(plan) ? resumeByFirmware(context, plan) : resume(context, plan);
}

/** True if the step "resume" has to read the variable already. */
export function asksEarly({ resume: { asksFirmware }, integrity }: Pick<BootPlan, "resume" | "integrity">): boolean {
  return asksFirmware && integrity.length > 0;
}

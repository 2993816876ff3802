import type { Context } from "../../drivers/context.ts";
import { readEfiVariable } from "../../filesystems/efi-variables.ts";
import { type HibernateLocation, parseHibernateLocation } from "../../formats/hibernation/location.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { Voice } from "../../problems/voice.ts";
import { type Attached, type AttachOptions, attachDevice } from "../attach.ts";
import type { StoragePlan } from "../contract.ts";
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
export function resumeByFirmware(context: Context, plan: BootPlan): void {
  const location = readHibernateLocation(context.machine, context.voice);
  if (location !== null) resumeFrom(context, plan, location);
}

function resumeFrom(context: Context, plan: BootPlan, { uuid, offset, kernel }: HibernateLocation): void {
  resume(context, { ...plan, resume: { ...plan.resume, device: { by: "uuid", value: uuid }, offset, kernel } });
}

/** A device that may be mounted writable next. */
export interface AttachedPart extends Attached {
  /** True if systemd's variable was not read yet, and may decide. */
  readonly asksFirmware: boolean;
}

/**
 * Attaches a device, as `attachDevice` does. The kernel writes to some devices when it opens them, and a hibernated system goes on writing
 * to them: before the first of these, systemd's variable is read, and the system is resumed. Otherwise `guardMount` reads it.
 */
export function attachUnlessHibernated(
  context: Context,
  plan: BootPlan,
  wish: StoragePlan,
  options: AttachOptions,
): AttachedPart {
  let { asksFirmware } = plan.resume;
  let location: HibernateLocation | null = null;
  const isHibernated = new Error("a hibernated system comes first");
  function beforeWriting(): void {
    location = asksFirmware ? readHibernateLocation(context.machine, context.voice) : null;
    asksFirmware = false;
    if (location !== null) throw isHibernated;
  }
  const attach = () => attachDevice(context, wish, { ...options, beforeWriting });
  try {
    return { ...attach(), asksFirmware };
  } catch (error) {
    if (error !== isHibernated || location === null) throw error;
    resumeFrom(context, plan, location);
    return { ...attach(), asksFirmware };
  }
}

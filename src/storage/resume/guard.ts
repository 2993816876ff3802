import { type BlockDevice, withReader } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { filesystemType } from "../../formats/filesystems/filesystem-types.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { ResumePlan } from "../../plan/resume/plan.ts";
import { orIfRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import type { Attached } from "../attach.ts";
import { type AttachedPart, resumeByFirmware } from "./firmware.ts";
import { discardImage, mayDiscard, readImage, sayDiscarded } from "./hibernated.ts";

const PAGE_SIZES = [4096, 8192, 16384, 32768, 65536];

/**
 * Called before a filesystem is checked and mounted writable. If it was not unmounted, a hibernated system may use it: one that
 * systemd's variable names is resumed, and one on the same disk is discarded, or BootError is thrown. One beside a filesystem that was
 * unmounted is that of a second system.
 */
export function guardMount(context: Context, plan: BootPlan, attached: AttachedPart): void {
  if (attached.asksFirmware && isInUse(context.machine, attached.device)) resumeByFirmware(context, plan);
  guardMore(context, plan, attached);
}

/** Does the same for what is mounted beside a root that is mounted already, so that nothing may be resumed any more. */
export function guardMore(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  { resume: wish }: Pick<BootPlan, "resume">,
  { device, hibernated }: Attached,
): void {
  for (const other of hibernated) guardAgainst({ machine, voice }, wish, device, other);
}

function guardAgainst(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  plan: ResumePlan,
  device: BlockDevice,
  other: BlockDevice,
): void {
  const images = PAGE_SIZES.map((pageBytes) => orIfRefused(() => readImage(machine, other, 0, pageBytes), null));
  const image = images.find((found) => found !== null) ?? null;
  if (image === null) return;
  const text = `${other.node} holds a hibernated system`;
  if (plan.isOff) {
    voice.warn(`${text}; it must not be resumed after this boot, which mounts ${device.node}`);
    return;
  }
  if (!isInUse(machine, device)) {
    voice.warn(`${text}, and resume= does not name it; ${device.node} was unmounted before, so it is not part of it`);
    return;
  }
  const name = other.facts.uuid === null ? other.node : `UUID=${other.facts.uuid}`;
  const failure = problem("hibernated-beside", { node: other.node, mounted: device.node, name });
  if (!mayDiscard({ machine, voice }, plan, failure)) throw failure;
  discardImage(machine, { device: other, image });
  sayDiscarded(voice, other.node);
}

const NEVER_WRITTEN = /^(?:squashfs|erofs|iso9660|cramfs|romfs)$/;
/** The log tree of a btrfs says only whether fsync was called. */
const VAGUE = "btrfs";

/** False if the filesystem cannot be written, or its journal says that it was unmounted; true if levain cannot tell. */
export function isInUse(machine: Machine, { node, facts: { type } }: BlockDevice): boolean {
  if (type !== null && NEVER_WRITTEN.test(type)) return false;
  const { isUnclean } = filesystemType(type ?? "");
  if (isUnclean === undefined || type === VAGUE) return true;
  return orIfRefused(() => withReader(machine, node, isUnclean), true);
}

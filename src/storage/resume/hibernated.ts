import { type BlockDevice, withReader } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { filesystemType } from "../../formats/filesystems/filesystem-types.ts";
import { type HibernationImage, readHibernationImage } from "../../formats/hibernation/image.ts";
import type { Machine } from "../../machine/machine.ts";
import type { ResumePlan } from "../../plan/resume/plan.ts";
import { type BootError, orIfRefused, unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { sentence } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { askYesOrNo } from "../../prompt/yes-or-no.ts";
import type { Attached } from "../attach.ts";

/** An image and its device. */
export interface Hibernated {
  readonly device: BlockDevice;
  readonly image: HibernationImage;
}

/** Reads the image on a device; null if there is none, or if that cannot be read. */
export function readImage(
  machine: Machine,
  { node }: Pick<BlockDevice, "node">,
  offsetPages: number,
  pageBytes: number,
): HibernationImage | null {
  return orIfRefused(
    () => withReader(machine, node, (reader) => readHibernationImage(reader, { offsetPages, pageBytes })),
    null,
  );
}

/** True if the policy, or a person whom it asks, discards an image that is not resumed. */
export function mayDiscard(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  { policy }: ResumePlan,
  failure: BootError,
): boolean {
  if (policy !== "ask") return policy === "discard";
  voice.warn(sentence(failure));
  return askYesOrNo(machine, "resume", "discard it? what the hibernated system had not saved is lost") === true;
}

/** Makes the swap space of an image normal again. Throws BootError if that is not possible. */
export function discardImage(machine: Machine, { device, image }: Hibernated): void {
  const { node } = device;
  const { swapSignature, at } = image;
  if (swapSignature === null) throw problem("image-not-discarded", { node, isKept: false });
  unlessRefused(
    () => machine.writeDevice(node, at, swapSignature),
    (cause) => {
      throw problem("image-not-discarded", { node, isKept: true }, { cause });
    },
  );
}

/** Warns that it is gone. */
export function sayDiscarded(voice: Voice, node: string): void {
  voice.warn(`discarded the hibernated system on ${node}: its filesystems are as after a power failure`);
}

const PAGE_SIZES = [4096, 8192, 16384, 32768, 65536];

/**
 * Called before a filesystem is checked and mounted writable: throws BootError, or discards the image, if a hibernated system beside it may use
 * the filesystem. One that was unmounted is not in use, as that of a second system on the disk.
 */
export function guardMount(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  plan: ResumePlan,
  { device, hibernated }: Attached,
): void {
  for (const other of hibernated) {
    const images = PAGE_SIZES.map((pageBytes) => readImage(machine, other, 0, pageBytes));
    const image = images.find((found) => found !== null) ?? null;
    if (image === null) continue;
    const text = `${other.node} holds a hibernated system`;
    if (plan.isOff) {
      voice.warn(`${text}; it must not be resumed after this boot, which mounts ${device.node}`);
    } else if (isUnmounted(machine, device)) {
      voice.warn(`${text}, and resume= does not name it; ${device.node} was unmounted before, so it is not part of it`);
    } else {
      const name = other.facts.uuid === null ? other.node : `UUID=${other.facts.uuid}`;
      const failure = problem("hibernated-beside", { node: other.node, mounted: device.node, name });
      if (!mayDiscard({ machine, voice }, plan, failure)) throw failure;
      discardImage(machine, { device: other, image });
      sayDiscarded(voice, other.node);
    }
  }
}

/** The log tree of a btrfs says only whether fsync was called. */
const VAGUE = "btrfs";

/** True if the journal of the filesystem says that it was unmounted; false if levain cannot tell. */
function isUnmounted(machine: Machine, { node, facts: { type } }: BlockDevice): boolean {
  const { isUnclean } = filesystemType(type ?? "");
  if (isUnclean === undefined || type === VAGUE) return false;
  return orIfRefused(() => !withReader(machine, node, isUnclean), false);
}

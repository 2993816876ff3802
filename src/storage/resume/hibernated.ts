import { type BlockDevice, withReader } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { type HibernationImage, readHibernationImage } from "../../formats/hibernation/image.ts";
import type { Machine } from "../../machine/machine.ts";
import type { ResumePlan } from "../../plan/resume/plan.ts";
import { type BootError, unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { sentence } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { askYesOrNo } from "../../prompt/yes-or-no.ts";

/** An image and its device. */
export interface Hibernated {
  readonly device: BlockDevice;
  readonly image: HibernationImage;
}

/** Reads the image on a device; null if there is none. Throws SyscallError. */
export function readImage(
  machine: Machine,
  { node }: Pick<BlockDevice, "node">,
  offsetPages: number,
  pageBytes: number,
): HibernationImage | null {
  return withReader(machine, node, (reader) => readHibernationImage(reader, { offsetPages, pageBytes }));
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

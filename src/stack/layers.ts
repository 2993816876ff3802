import type { Context } from "../drivers/context.ts";
import type { MountedDevice } from "../filesystems/mount.ts";
import { cryptForRoot } from "../plan/overlay.ts";
import type { BootPlan } from "../plan/plan.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import { requireOneSide } from "../storage/trust.ts";
import { showFamiliarPlaces } from "./familiar-places.ts";
import { findImage, findImages } from "./images.ts";
import { type Medium, mountLower } from "./lowers.ts";
import { type MountedImage, mountImage } from "./mount-image.ts";
import { mountOverlay } from "./overlay.ts";
import { planBase, planStack, type RootStack, type StackBase } from "./root-stack.ts";

/** What the stack has to know of the root device. */
type RootDevice = Pick<MountedDevice, "node" | "isInside" | "facts">;

/** Stacks the root from the root device: images on it, more layers, an overlay over them, or none of these. Returns what was stacked, in words. Throws BootError. */
export function stackRoot(context: Context, plan: BootPlan, device: RootDevice): string {
  const { machine, voice } = context;
  const medium = openMedium(context, plan, device);
  const files = plan.image === null ? [] : findImages(machine, medium.images, plan.image, voice);
  const stack = nameStore(planStack(plan, files), device);
  const rootPlan = { ...plan, crypt: cryptForRoot(plan) };
  const mounted = stack.lowers.map((lower) => mountLower(context, rootPlan, lower, medium));
  requireOneSide(machine, mounted, voice);
  const isMerged = stack.lowers.some(({ place }) => place !== stack.merged);
  const upper = isMerged ? mountOverlay(context, plan, stack, mounted) : null;
  if (plan.image !== null) {
    const isMediumUsed = mounted.some(({ usesMedium }) => usesMedium);
    showFamiliarPlaces(context, plan.image.maker, stack, isMediumUsed);
    if (!isMediumUsed) releaseMedium(context, stack, device.node, medium.iso);
  }
  const texts = mounted.map(({ text }) => text);
  return describeStack(stack, medium.iso, upper === null ? texts : [...texts, upper]);
}

function openMedium(
  context: Context,
  plan: BootPlan,
  device: RootDevice,
): Medium & { readonly iso: MountedImage | null } {
  const { iso, images, source } = planBase(plan);
  if (iso === null) return { ...device, images, iso: null };
  const file = findImage(context.machine, source, iso.path);
  // The ISO file, like a medium, need not be encrypted: only the images on it.
  const image = mountImage(context, plan, { ...iso, file, isInside: device.isInside, isMedium: true });
  return { node: device.node, images, isInside: image.isInside, iso: image };
}

function describeStack({ lowers, merged }: RootStack, iso: MountedImage | null, texts: readonly string[]): string {
  const parts = texts.filter((_, index) => lowers[index]?.kind !== "source");
  if (parts.length === 0) return "nothing to stack";
  return `${iso === null ? "" : `${iso.text}: `}${parts.join(" + ")} at ${merged}`;
}

/** Gives the store its name, if the medium decides that (dracut's rd.live.overlay=DEVICE:auto). */
function nameStore(stack: RootStack, { facts }: RootDevice): RootStack {
  const { upper } = stack;
  if (upper?.kind !== "store" || !upper.store.isNamedByMedium) return stack;
  // dracut replaces nothing in them. A slash cannot be in the name of a directory.
  const [label, uuid] = [facts.label ?? "", facts.uuid ?? ""].map((text) => text.replaceAll("/", "_"));
  const path = `${upper.store.path ?? ""}/overlay-${label}-${uuid}`;
  return { ...stack, upper: { ...upper, store: { ...upper.store, path } } };
}

/** Unmounts the medium. This comes last: a retry after a failure would need the medium again. */
function releaseMedium({ machine, voice }: Context, stack: StackBase, node: string, iso: MountedImage | null): void {
  try {
    if (stack.iso !== null && iso !== null) {
      machine.unmount(stack.iso.place);
      machine.detachLoop(iso.node);
    }
    machine.unmount(stack.source);
    machine.releaseDevice(node);
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`the medium stays mounted and cannot be removed: ${describeRefusal(error)}`);
  }
}

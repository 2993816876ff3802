import type { Context } from "../drivers/context.ts";
import type { MountedDevice } from "../filesystems/mount.ts";
import { NO_CHECKS } from "../plan/checks/checks.ts";
import type { BootPlan } from "../plan/plan.ts";
import { cryptForRoot } from "../plan/stack/overlay.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import { requireOneSide } from "../storage/trust.ts";
import { showFamiliarPlaces } from "./familiar-places.ts";
import { findImage, findImages } from "./images.ts";
import { type Medium, mountLower } from "./lowers.ts";
import { type MountedImage, mountImage } from "./mount-image.ts";
import { mountOverlay } from "./overlay.ts";
import { mountKept } from "./persistence/mount-kept.ts";
import { openPersistence, withKeptRoot } from "./persistence/open-volumes.ts";
import { planBase, planStack, ROOT, type RootStack, type StackBase } from "./root-stack.ts";
import { checkMedium, type ImageChecks } from "./verify/media-checks.ts";
import { mountVolatileRoot } from "./volatile.ts";

/** A root that is complete but for what is mounted below it. */
export interface StackedRoot {
  /** What was stacked, in words. */
  readonly text: string;
  /** The root device; null if a user has mounted the root. */
  readonly node: string | null;
  /** True if the root lies in an encrypted volume; null if a user has mounted it. */
  readonly isInside: boolean | null;
}

/** What the stack has to know of the root device. */
type RootDevice = Pick<MountedDevice, "node" | "superblock" | "isInside" | "facts">;

/** Stacks the root from the root device: images on it, more layers, an overlay over them, or none of these. Throws BootError. */
export function stackRoot(context: Context, plan: BootPlan, device: RootDevice): StackedRoot {
  const { machine, voice } = context;
  const medium = openMedium(context, plan, device);
  const files = plan.image === null ? [] : findImages(machine, medium.images, plan.image, voice);
  const planned = nameStore(planStack(plan, files), device);
  const checks = startChecks(context, plan, planned, { node: device.node, file: medium.file });
  const rootPlan = { ...plan, crypt: cryptForRoot(plan) };
  const mounted = planned.lowers.map((lower) => mountLower(context, rootPlan, lower, medium, checks));
  requireOneSide(machine, mounted, voice);
  const isInside = mounted.some((lower) => lower.isInside);
  const { stack, kept } = keepChanges(context, plan, planned, { node: device.node, isInside });
  const isMerged = stack.lowers.some(({ place }) => place !== stack.merged);
  const upper = isMerged ? mountOverlay(context, plan, stack, mounted) : null;
  if (stack.volatile !== null) mountVolatileRoot(context, stack.volatile, stack.merged);
  const texts = [...mounted.map(({ text }) => text), ...(upper === null ? [] : [upper]), ...kept.mount()];
  if (plan.image !== null) {
    const isMediumUsed = kept.usesMedium || mounted.some(({ usesMedium }) => usesMedium);
    showFamiliarPlaces(context, plan.image.maker, stack, { isMediumThere: isMediumUsed, volumes: kept.volumes });
    if (!isMediumUsed) releaseMedium(context, stack, device.node, medium.iso);
  }
  const text = describeStack(stack, medium.iso, texts);
  return { text, node: device.node, isInside: mounted.every((lower) => lower.isInside) };
}

/** What persistence volumes keep. */
interface KeptChanges {
  readonly stack: RootStack;
  readonly kept: {
    /** By their device. */
    readonly volumes: readonly { readonly node: string; readonly directory: string }[];
    /** True if one of them is a file on the medium. */
    readonly usesMedium: boolean;
    /** Mounts what lies below the root; returns it in words. */
    readonly mount: () => readonly string[];
  };
}

/** Opens the persistence volumes, if a parameter asks for them: they decide where changes go. */
function keepChanges(
  context: Context,
  plan: BootPlan,
  stack: RootStack,
  { node, isInside }: Pick<RootDevice, "node" | "isInside">,
): KeptChanges {
  const { persistence } = plan;
  if (persistence === null) return { stack, kept: { volumes: [], usesMedium: false, mount: () => [] } };
  const open = openPersistence(context, { ...plan, persistence }, { node, directory: stack.source, isInside });
  return {
    stack: withKeptRoot(context.machine, stack, open, persistence),
    kept: {
      volumes: open.volumes.map(({ store }) => store),
      usesMedium: open.volumes.some(({ host }) => host === node),
      mount: () => mountKept(context, open, persistence),
    },
  };
}

/** Checks the medium if parameters ask for it; returns the checks of its images, null for none. */
function startChecks(
  context: Context,
  { image, root, checks: asked }: BootPlan,
  { lowers, images: base }: RootStack,
  { node, file }: { readonly node: string; readonly file: string | null },
): ImageChecks | null {
  // The digest of a download is that of the file on the server, and was compared when it came.
  const checks = root.kind === "download" ? { ...asked, digest: null } : asked;
  if (image === null || Bun.deepEquals(checks, NO_CHECKS)) return null;
  const images = lowers.flatMap((lower) => (lower.kind === "image" ? lower.path : []));
  return checkMedium(context, checks, { node, iso: file, base, images, isArchiso: image.maker === "archiso" });
}

function openMedium(
  context: Context,
  plan: BootPlan,
  device: RootDevice,
): Medium & { readonly iso: MountedImage | null; readonly file: string | null } {
  const { iso, images, source } = planBase(plan);
  if (iso === null) return { ...device, images, iso: null, file: null };
  const file = findImage(context.machine, source, iso.path);
  // The ISO file, like a medium, need not be encrypted: only the images on it.
  const image = mountImage(context, plan, { ...iso, file, isInside: device.isInside, isMedium: true, tree: null });
  return { ...device, images, isInside: image.isInside, iso: image, file };
}

function describeStack(
  { lowers, merged, volatile }: RootStack,
  iso: MountedImage | null,
  texts: readonly string[],
): string {
  const parts = texts.filter((_, index) => lowers[index]?.kind !== "source");
  if (volatile !== null) parts.push("its /usr in a tmpfs");
  if (parts.length === 0) return "nothing to stack";
  return `${iso === null ? "" : `${iso.text}: `}${parts.join(" + ")} at ${volatile === null ? merged : ROOT}`;
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

import type { Context } from "../drivers/context.ts";
import { makePlace, mountDevice } from "../filesystems/mount.ts";
import { findDirectoryIn, findFileIn } from "../filesystems/resolve.ts";
import type { BootPlan } from "../plan/plan.ts";
import { printable } from "../problems/report.ts";
import { describeAttached } from "../storage/attach.ts";
import { specText } from "../storage/search-words.ts";
import { liesInVolume, type RootPart } from "../storage/trust.ts";
import { copyToRam } from "./copy-to-ram.ts";
import { findImage } from "./images.ts";
import { attachPart, mountImage, requireUnencrypted } from "./mount-image.ts";
import type { Lower, LowerImage } from "./root-stack.ts";

/** The root device, or the ISO file on it that holds the images. */
export interface Medium {
  /** Of the root device. */
  readonly node: string;
  /** The tree in which image files are looked for. */
  readonly images: string;
  /** True if that tree lies in an encrypted volume. */
  readonly isInside: boolean;
}

/** A tree of the root that is mounted. */
export interface MountedLower extends RootPart {
  /** The device whose superblock identifies it; null for a directory. */
  readonly superblock: string | null;
  /** True if the medium has to stay. */
  readonly usesMedium: boolean;
}

/** Mounts one tree of the root read-only at its place. Throws BootError. */
export function mountLower(context: Context, plan: BootPlan, lower: Lower, medium: Medium): MountedLower {
  switch (lower.kind) {
    case "source":
      return { text: medium.node, superblock: medium.node, isInside: medium.isInside, usesMedium: true };
    case "device":
      return mountLayerDevice(context, plan, lower);
    case "image": {
      const directory = findDirectoryIn(context.machine, medium.images, lower.path);
      if (directory !== null) return bindDirectory(context, plan, lower, { directory, isInside: medium.isInside });
      return mountLayerImage(context, plan, lower, medium);
    }
  }
}

function mountLayerDevice(
  context: Context,
  plan: BootPlan,
  { device: spec, place }: Extract<Lower, { kind: "device" }>,
): MountedLower {
  const attached = attachPart(context, plan, spec, { wanted: "layer", name: specText(spec) });
  const { device } = attached;
  mountDevice(context, { device, target: place, types: [], access: "untouched", options: "", role: "layer" });
  const isInside = liesInVolume(context.machine)(device);
  return { text: describeAttached(attached), superblock: device.node, isInside, usesMedium: false };
}

/** Mounts live-boot's NAME.dir, a directory tree on the medium, which is as read-only as the medium. */
function bindDirectory(
  { machine, voice, undo }: Context,
  { crypt }: BootPlan,
  { path, place, ram }: LowerImage,
  { directory, isInside }: { readonly directory: string; readonly isInside: boolean },
): MountedLower {
  if (!isInside) requireUnencrypted(crypt, path);
  if (ram !== null) voice.warn(`${printable(path)} is a directory and is not copied to RAM`);
  makePlace(machine, place);
  machine.mount({ source: directory, target: place, type: "", flags: ["bind"], options: "" });
  undo(() => machine.unmount(place));
  return { text: `${printable(path)} (directory)`, superblock: null, isInside, usesMedium: true };
}

/** Mounts an image, after a copy to memory if the stack has one. If it holds one of the inner images, that is mounted in its place. */
function mountLayerImage(
  context: Context,
  plan: BootPlan,
  { path, place, ram, inner }: LowerImage,
  { images, isInside, node }: Medium,
): MountedLower {
  const { machine, undo } = context;
  const file = findImage(machine, images, path);
  const copy = ram === null ? null : copyToRam(context, file, node, ram);
  const order = { path, file: copy ?? file, place, isInside, isMedium: false };
  const image = mountImage(context, plan, order);
  const usesMedium = copy === null;
  const text = `${image.name} (${image.type}${copy === null ? "" : ", in RAM"})`;
  const found = inner?.paths.find((one) => findFileIn(machine, place, one) !== null);
  const superblock = image.node;
  if (inner === null || found === undefined) return { text, superblock, isInside: image.isInside, usesMedium };
  const { outer } = inner;
  machine.makeDirectory(outer);
  machine.moveMount(place, outer);
  undo(() => machine.unmount(outer));
  const innerFile = findImage(machine, outer, found);
  const root = mountImage(context, plan, { ...order, path: found, file: innerFile, isInside: image.isInside });
  return { text: `${text}: ${root.text}`, superblock, isInside: root.isInside, usesMedium };
}

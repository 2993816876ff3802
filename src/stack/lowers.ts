import type { Context } from "../drivers/context.ts";
import { makePlace, mountDevice } from "../filesystems/mount.ts";
import { findDirectoryIn, findFileIn } from "../filesystems/resolve.ts";
import { onlyTexts } from "../formats/text.ts";
import type { BootPlan } from "../plan/plan.ts";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";
import { describeAttached } from "../storage/attach.ts";
import { specText } from "../storage/search-words.ts";
import { liesInVolume, type RootPart } from "../storage/trust.ts";
import { type Archive, mountArchive } from "./archive/mount-archive.ts";
import { copyToRam } from "./copy-to-ram.ts";
import { findImage } from "./images.ts";
import { attachPart, mountImage, requireUnencrypted } from "./mount-image.ts";
import type { Lower, LowerImage } from "./root-stack.ts";
import { copyVerified } from "./verify/copy-verified.ts";
import { findImageTree, type ImageTree } from "./verify/image-tree.ts";
import type { ImageChecks } from "./verify/media-checks.ts";
import { recordDigest } from "./verify/record-digest.ts";
import { requiresImageHashes, requireVerified } from "./verify/require-verified.ts";
import type { StreamCheck } from "./verify/stream-check.ts";

/** The root device, or the ISO file on it that holds the images. */
export interface Medium {
  /** Of the root device. */
  readonly node: string;
  /** The device whose superblock identifies it; null for a filesystem without a block device. */
  readonly superblock: string | null;
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
export function mountLower(
  context: Context,
  plan: BootPlan,
  lower: Lower,
  medium: Medium,
  checks: ImageChecks | null,
): MountedLower {
  switch (lower.kind) {
    case "source":
      return { text: medium.node, superblock: medium.superblock, isInside: medium.isInside, usesMedium: true };
    case "device":
      return mountLayerDevice(context, plan, lower);
    case "image": {
      const { memory } = plan.image ?? {};
      if (memory !== undefined && lower.isLive)
        return unpackArchive(context, plan, { ...lower, memory }, medium, checks);
      const directory = findDirectoryIn(context.machine, medium.images, lower.path);
      if (directory !== null) return bindDirectory(context, plan, lower, { directory, isInside: medium.isInside });
      return mountLayerImage(context, plan, lower, medium, checks);
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
  requireVerified(context.machine, plan, device, "layer");
  mountDevice(context, { device, target: place, types: [], access: "untouched", options: "", role: "layer" });
  const isInside = liesInVolume(context.machine)(device);
  return { text: describeAttached(attached), superblock: device.node, isInside, usesMedium: false };
}

function copyImage(
  context: Context,
  copy: Parameters<typeof copyVerified>[1],
  tree: ImageTree | null,
  checks: readonly StreamCheck[],
): string | null {
  if (tree !== null) return copyVerified(context, copy, tree);
  const { path, file, node, directory } = copy;
  const bytes = context.machine.stat(file)?.size ?? 0;
  return copyToRam(context, { source: file, path, bytes, node, directory, checks, onRefusal: null });
}

/** Copies an image into memory if the stack has a place for it there, and checks it while it is copied; else it is read for its checks. Returns the copy's path, or null. */
function copyOrCheck(
  context: Context,
  {
    directory,
    ...image
  }: Omit<Parameters<typeof copyVerified>[1], "directory"> & { readonly directory: string | null },
  tree: ImageTree | null,
  checks: ImageChecks | null,
): string | null {
  const { path, file } = image;
  // The copy through dm-verity is another reading: only a block that is read is verified.
  const isWatched = directory !== null && tree === null;
  const own = checks?.of(path, file) ?? [];
  if (!isWatched) checks?.read(path, file, own);
  const copy = directory === null ? null : copyImage(context, { ...image, directory }, tree, isWatched ? own : []);
  if (copy === null && isWatched) checks?.read(path, file, checks.of(path, file));
  return copy;
}

/** Unpacks an archive. What was checked before is unpacked: another process reads it again, and a medium may change. */
function unpackArchive(
  context: Context,
  plan: BootPlan,
  { path, place, memory }: LowerImage & Pick<Archive, "memory">,
  { images, isInside }: Medium,
  checks: ImageChecks | null,
): MountedLower {
  if (!isInside) requireUnencrypted(plan.crypt, path);
  const file = findImage(context.machine, images, path);
  const own = checks?.of(path, file) ?? [];
  const seen = recordDigest();
  checks?.read(path, file, own.length === 0 ? [] : [...own, seen.check]);
  const digest = own.length === 0 ? null : seen.digest();
  const text = mountArchive(context, { path, file, place, memory, digest, timeoutMs: plan.rootTimeoutMs });
  return { text, superblock: null, isInside, usesMedium: false };
}

/** Mounts live-boot's NAME.dir, a directory tree on the medium, which is as read-only as the medium. */
function bindDirectory(
  { machine, voice, undo }: Context,
  plan: BootPlan,
  { path, place, ram }: LowerImage,
  { directory, isInside }: { readonly directory: string; readonly isInside: boolean },
): MountedLower {
  if (!isInside) requireUnencrypted(plan.crypt, path);
  if (plan.verity.root === null && requiresImageHashes(plan)) {
    throw problem("verity-part-outside", { outside: [path], part: "layer" });
  }
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
  { path, place, ram, inner, isOnly }: LowerImage,
  { images, isInside, node }: Medium,
  checks: ImageChecks | null,
): MountedLower {
  const { machine, voice, undo } = context;
  const file = findImage(machine, images, path);
  const tree = findImageTree(machine, voice, plan.verity.images, { base: images, path, isOnly });
  const copy = copyOrCheck(context, { path, file, place, node, directory: ram }, tree, checks);
  const order = { path, file: copy ?? file, place, isInside, isMedium: false, tree: copy === null ? tree : null };
  const image = mountImage(context, plan, order);
  const usesMedium = copy === null;
  const notes = onlyTexts(image.type, tree !== null && "verified", copy !== null && "in RAM");
  const text = `${image.name} (${notes.join(", ")})`;
  const found = inner?.paths.find((one) => findFileIn(machine, place, one) !== null);
  const superblock = image.node;
  if (inner === null || found === undefined) return { text, superblock, isInside: image.isInside, usesMedium };
  const { outer } = inner;
  machine.makeDirectory(outer);
  machine.moveMount(place, outer);
  undo(() => machine.unmount(outer));
  const innerFile = findImage(machine, outer, found);
  const inside = { path: found, file: innerFile, isInside: image.isInside, tree: null };
  const root = mountImage(context, plan, { ...order, ...inside });
  return { text: `${text}: ${root.text}`, superblock, isInside: root.isInside, usesMedium };
}

import type { MountedDevice } from "../filesystems/mount.ts";
import { mountDevice } from "../filesystems/mount.ts";
import { lowerPlace, makePlace, PLACES } from "../filesystems/places.ts";
import { findDirectoryIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { LayerPlan } from "../parameters/layer.ts";
import type { BootPlan } from "../plan/plan.ts";
import { isErrno } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { attachDevice, describeAttached } from "../storage/attach.ts";
import { specText } from "../storage/search-words.ts";
import { liesInVolume, requireOneSide } from "../storage/trust.ts";
import { linkFamiliarPlaces } from "./familiar-places.ts";
import { findImage, findImages } from "./images.ts";
import { type ImageOrder, type ImageTools, type MountedImage, mountImage, requireUnencrypted } from "./mount-image.ts";
import { stackOverlay } from "./overlay.ts";

/** Makes /sysroot out of what the root device gave: images on it, more layers, an overlay over them, or nothing of that. Returns what was stacked, for a person. */
export function stackRoot(
  machine: Machine,
  plan: BootPlan,
  device: Pick<MountedDevice, "node" | "isInside">,
  given: Omit<ImageTools, "plan">,
): string {
  const tools = { ...given, plan };
  const medium = openMedium(machine, plan, device.isInside, tools);
  const files = plan.image === null ? [] : findImages(machine, medium.base, plan.image, tools.voice);
  const layers: readonly LayerPlan[] = [...files.map((path) => ({ kind: "image" as const, path })), ...plan.layers];
  const own = plan.image === null ? 1 : 0; // the root device itself, mounted already
  const count = own + layers.length;
  const isStacked = count > 1 || plan.overlay !== null;
  const places = Array.from({ length: count }, (_, index) => (isStacked ? lowerPlace(index, count) : PLACES.root));
  const mounted = layers.map((layer, index) => {
    const target = places[own + index] ?? PLACES.root;
    return layer.kind === "device"
      ? mountLayerDevice(machine, plan, layer.device, target, tools)
      : mountLayerImage(machine, plan, { medium, path: layer.path, target, index, count }, tools);
  });
  const lowest = plan.image === null ? [{ text: device.node, isInside: device.isInside }] : [];
  requireOneSide(machine, [...lowest, ...mounted], tools.voice);
  if (isStacked) stackOverlay(machine, plan.overlay, places, tools);
  const isMediumThere = !mounted.every(({ inRam }) => inRam);
  if (plan.image !== null) {
    const images = files.map((path, index) => ({ path, place: places[index] ?? PLACES.root }));
    const stacked = { image: plan.image, layers: images, hasOverlay: plan.overlay !== null, isMediumThere };
    linkFamiliarPlaces(machine, stacked, tools);
    if (!isMediumThere) releaseMedium(machine, medium.iso, tools.voice);
  }
  const texts = [...mounted.map(({ text }) => text), ...describeOverlay(plan)];
  if (texts.length === 0) return "nothing to stack";
  return `${medium.iso === null ? "" : `${medium.iso.text}: `}${texts.join(" + ")} at ${PLACES.root}`;
}

interface Medium {
  /** Where the images are looked for. */
  readonly base: string;
  /** True where that lies in an encrypted volume. */
  readonly isInside: boolean;
  readonly iso: MountedImage | null;
}

function openMedium(machine: Machine, plan: BootPlan, isInside: boolean, tools: ImageTools): Medium {
  if (plan.image === null) return { base: lowerPlace(0, 1 + plan.layers.length), isInside, iso: null };
  const { iso: path } = plan.image;
  if (path === null) return { base: PLACES.medium, isInside, iso: null };
  const file = findImage(machine, PLACES.medium, path);
  // Only what it holds has to be encrypted, as with the medium itself.
  const order = { path, file, target: PLACES.iso, ram: null, inner: [], isInside, isMedium: true };
  const iso = mountImage(machine, order, tools);
  return { base: PLACES.iso, isInside: iso.isInside, iso };
}

function mountLayerImage(
  machine: Machine,
  { image }: BootPlan,
  layer: { medium: Medium; path: string; target: string; index: number; count: number },
  tools: ImageTools,
): MountedImage {
  const { path, target, index, count } = layer;
  const { base, isInside } = layer.medium;
  const directory = findDirectoryIn(machine, base, path);
  if (directory !== null) return bindDirectory(machine, { path, directory, target, isInside }, image, tools);
  const place = count === 1 ? PLACES.ram : `${PLACES.ram}/${index}`;
  const ram = image?.copyToRam === true ? place : null;
  const inner = index === 0 ? (image?.inner ?? []) : [];
  const file = findImage(machine, base, path);
  return mountImage(machine, { path, file, target, ram, inner, isInside, isMedium: false }, tools);
}

/** live-boot's NAME.dir: it shows what the medium has, and is as read-only. */
function bindDirectory(
  machine: Machine,
  {
    path,
    directory,
    target,
    isInside,
  }: Pick<ImageOrder, "path" | "target" | "isInside"> & { readonly directory: string },
  image: BootPlan["image"],
  { plan, voice, undo }: ImageTools,
): MountedImage {
  if (!isInside) requireUnencrypted(plan.crypt, path);
  if (image?.copyToRam === true) voice.warn(`${printable(path)} is a directory, which is not copied to RAM`);
  makePlace(machine, target);
  machine.mount({ source: directory, target, type: "", flags: ["bind"], options: "" });
  undo(() => machine.unmount(target));
  return { text: `${printable(path)} (directory)`, node: directory, inRam: false, isInside };
}

function mountLayerDevice(
  machine: Machine,
  { rootTimeoutMs, crypt, keymap }: BootPlan,
  spec: DeviceSpec,
  target: string,
  tools: ImageTools,
): MountedImage {
  const { modules, voice, undo } = tools;
  const wish = { roots: [spec], rootTimeoutMs, rootOptions: "", image: null, layers: [], crypt, keymap };
  const attached = attachDevice({ ...tools, machine, drivers: modules }, wish, {
    wanted: "layer",
    name: specText(spec),
  });
  const order = { device: attached.device, target, types: [], writable: false, options: "" };
  mountDevice(machine, order, modules, voice);
  undo(() => machine.unmount(target));
  const isInside = liesInVolume(machine)(attached.device);
  return { text: describeAttached(attached), node: attached.device.node, inRam: true, isInside };
}

function describeOverlay({ overlay }: BootPlan): readonly string[] {
  if (overlay === null) return [];
  return [`tmpfs${overlay.size === null ? "" : ` ${overlay.size}`}`];
}

/** Only when nothing can fail any more: a second try would need the medium again. */
function releaseMedium(machine: Machine, iso: MountedImage | null, voice: Voice): void {
  try {
    if (iso !== null) {
      machine.unmount(PLACES.iso);
      machine.detachLoop(iso.node);
    }
    machine.unmount(PLACES.medium);
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`the medium cannot be taken out, it stays mounted: ${describeRefusal(error)}`);
  }
}

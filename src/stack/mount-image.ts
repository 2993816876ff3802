import type { BlockDevice } from "../devices/block-devices.ts";
import type { Undo } from "../drivers/context.ts";
import type { Loader } from "../drivers/loader.ts";
import { mountDevice } from "../filesystems/mount.ts";
import { PLACES } from "../filesystems/places.ts";
import { findFileIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import type { CryptPlan, CryptVolume } from "../plan/crypt/crypt-plan.ts";
import type { BootPlan } from "../plan/plan.ts";
import { BootError } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { attachDevice } from "../storage/attach.ts";
import { specText } from "../storage/search-words.ts";
import { copyToRam } from "./copy-to-ram.ts";
import { findImage } from "./images.ts";
import { openImage } from "./loop.ts";

/** What mounting images needs. */
export interface ImageTools {
  readonly modules: Loader;
  readonly voice: Voice;
  readonly undo: Undo;
  /** How an image that is encrypted is opened, and how long that may take. */
  readonly plan: Pick<BootPlan, "crypt" | "keymap" | "rootTimeoutMs">;
}

/** An image file to mount. */
export interface ImageOrder {
  /** As a person knows it: the path on the medium. */
  readonly path: string;
  /** As it is seen from here. */
  readonly file: string;
  readonly target: string;
  /** Where its copy in memory goes; null: it stays where it is. */
  readonly ram: string | null;
  /** Images inside of it, one of which is meant where it is there. */
  readonly inner: readonly string[];
  /** True where it lies in an encrypted volume. */
  readonly isInside: boolean;
  /** True for an ISO file, which holds the images and is no part of the root. */
  readonly isMedium: boolean;
}

/** What was mounted, for a person, and whether the medium can go. */
export interface MountedImage {
  readonly text: string;
  readonly inRam: boolean;
  readonly node: string;
  /** True where it lies in an encrypted volume, or is one. */
  readonly isInside: boolean;
}

const DAMAGED = "the file is damaged or not an image: write it to the medium again and compare its checksum";

/** Mounts an image read-only, copied to memory first if asked. Where it holds one of the inner images, that is what ends up at the target. */
export function mountImage(machine: Machine, order: ImageOrder, tools: ImageTools): MountedImage {
  const { path, file, target, ram, inner } = order;
  const copy = ram === null ? null : copyToRam(machine, file, ram, tools.voice);
  if (copy !== null && ram !== null) tools.undo(() => machine.unmount(ram));
  const { type, node, isInside } = mountFile(machine, { ...order, file: copy ?? file }, tools);
  const text = `${printable(path)} (${type}${copy === null ? "" : ", in RAM"})`;
  const found = inner.find((one) => findFileIn(machine, target, one) !== null);
  if (found === undefined) return { text, node, inRam: copy !== null, isInside };
  machine.makeDirectory(PLACES.outer);
  machine.moveMount(target, PLACES.outer);
  tools.undo(() => machine.unmount(PLACES.outer));
  const inside = { ...order, path: found, file: findImage(machine, PLACES.outer, found), isInside };
  const root = mountFile(machine, inside, tools);
  return { ...root, text: `${text}: ${printable(found)} (${root.type})`, inRam: copy !== null };
}

function mountFile(
  machine: Machine,
  { path, file, target, isInside, isMedium }: Omit<ImageOrder, "ram" | "inner">,
  tools: ImageTools,
): Pick<MountedImage, "node" | "isInside"> & { readonly type: string } {
  const { modules, voice, undo } = tools;
  const loop = openImage(machine, file, modules);
  undo(() => machine.detachLoop(loop.node));
  const isLuks = loop.facts.type === "crypto_LUKS";
  if (!isInside && !isMedium && !(isLuks && namedVolumes(tools.plan.crypt, loop).length > 0)) {
    requireUnencrypted(tools.plan.crypt, path);
  }
  const device = isLuks ? unlockImage(machine, path, loop, tools) : loop;
  const order = { device, target, types: [], writable: false, options: "", hint: DAMAGED };
  try {
    const type = mountDevice(machine, order, modules, voice);
    undo(() => machine.unmount(target));
    return { type, node: loop.node, isInside: isInside || isLuks };
  } catch (error) {
    throw new BootError(`the image ${printable(path)} cannot be mounted`, { cause: error });
  }
}

/** Throws BootError where parameters name volumes that the root has to lie in: the image `path` is in none of them. */
export function requireUnencrypted({ volumes }: CryptPlan, path: string): void {
  const required = volumes.filter(({ isOptional }) => !isOptional);
  if (required.length === 0) return;
  throw new BootError(`the image ${printable(path)} lies outside of the encrypted volumes that are asked for`, {
    cause: new BootError(`the root has to lie in ${required.map(({ device }) => specText(device)).join(" or ")}`),
    hint: "if the root is not encrypted, say that it does not need the volume: rd.luks.options=UUID=nofail",
  });
}

/** The volumes that a parameter names and that this image is one of. */
function namedVolumes({ volumes }: CryptPlan, { facts }: Pick<BlockDevice, "facts">): readonly CryptVolume[] {
  return volumes.filter(
    ({ device }) =>
      (device.by === "luks" && facts.uuid?.toLowerCase().startsWith(device.prefix) === true) ||
      (device.by === "uuid" && facts.uuid?.toLowerCase() === device.value.toLowerCase()) ||
      (device.by === "label" && facts.label === device.value),
  );
}

/** What is inside an image that is a LUKS container: opened as the parameters say that name it, or else as one that nobody has named. */
function unlockImage(
  machine: Machine,
  path: string,
  image: Pick<BlockDevice, "node" | "facts">,
  tools: ImageTools,
): BlockDevice {
  const { crypt, keymap, rootTimeoutMs } = tools.plan;
  // By its node: a disk that was copied may have the same UUID.
  const device = { by: "path" as const, path: image.node };
  const wish = {
    ...{ roots: [device], rootTimeoutMs, rootOptions: "", image: null, layers: [], keymap },
    crypt: {
      ...crypt,
      volumes: namedVolumes(crypt, image).map((volume) => ({ ...volume, device })),
      everyLuks: false,
    },
  };
  const context = { ...tools, machine, drivers: tools.modules };
  return attachDevice(context, wish, { wanted: "image", name: printable(path) }).device;
}

import { BootError } from "../errors.ts";
import type { Machine } from "../machine/machine.ts";
import { type ModuleByName, openImage } from "../openers/loop.ts";
import { printable } from "../report.ts";
import type { Voice } from "../voice.ts";
import { copyToRam } from "./copy-to-ram.ts";
import { findImage } from "./images.ts";
import { type FilesystemLoader, mountDevice } from "./mount.ts";
import { PLACES, type Undo } from "./places.ts";
import { findFileIn } from "./resolve.ts";

/** What mounting images needs. */
export interface ImageTools {
  readonly modules: FilesystemLoader & ModuleByName;
  readonly voice: Voice;
  readonly undo: Undo;
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
}

/** What was mounted, for a person, and whether the medium can go. */
export interface MountedImage {
  readonly text: string;
  readonly inRam: boolean;
  readonly node: string;
}

const DAMAGED = "the file is damaged or not an image: write it to the medium again and compare its checksum";

/** Mounts an image read-only, copied to memory first if asked. Where it holds one of the inner images, that is what ends up at the target. */
export function mountImage(machine: Machine, order: ImageOrder, tools: ImageTools): MountedImage {
  const { path, file, target, ram, inner } = order;
  const copy = ram === null ? null : copyToRam(machine, file, ram, tools.voice);
  if (copy !== null && ram !== null) tools.undo(() => machine.unmount(ram));
  const { type, node } = mountFile(machine, path, copy ?? file, target, tools);
  const text = `${printable(path)} (${type}${copy === null ? "" : ", in RAM"})`;
  const found = inner.find((one) => findFileIn(machine, target, one) !== null);
  if (found === undefined) return { text, node, inRam: copy !== null };
  machine.makeDirectory(PLACES.outer);
  machine.moveMount(target, PLACES.outer);
  tools.undo(() => machine.unmount(PLACES.outer));
  const root = mountFile(machine, found, findImage(machine, PLACES.outer, found), target, tools);
  return { text: `${text}: ${printable(found)} (${root.type})`, node: root.node, inRam: copy !== null };
}

function mountFile(
  machine: Machine,
  path: string,
  file: string,
  target: string,
  { modules, voice, undo }: ImageTools,
): { readonly type: string; readonly node: string } {
  const loop = openImage(machine, file, modules);
  undo(() => machine.detachLoop(loop.node));
  const order = { device: loop, target, types: [], writable: false, options: "", hint: DAMAGED };
  try {
    const type = mountDevice(machine, order, modules, voice);
    undo(() => machine.unmount(target));
    return { type, node: loop.node };
  } catch (error) {
    throw new BootError(`the image ${printable(path)} cannot be mounted`, { cause: error });
  }
}

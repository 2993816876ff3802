import type { BootPlan, ImagePlan, OverlayPlan } from "../config/plan.ts";
import { BootError, isErrno } from "../errors.ts";
import type { Machine } from "../machine/machine.ts";
import { type ModuleByName, openImage } from "../openers/loop.ts";
import { describeRefusal, printable } from "../report.ts";
import type { Voice } from "../voice.ts";
import { copyToRam } from "./copy-to-ram.ts";
import { type FilesystemLoader, mountDevice } from "./mount.ts";
import { makePlace, PLACES, type Undo } from "./places.ts";

type Loader = FilesystemLoader & ModuleByName;

interface MountedImage {
  /** The image file's path on the medium. */
  readonly path: string;
  readonly type: string;
  readonly inRam: boolean;
}

/** Makes /sysroot out of what the root device gave: an image on it, an overlay over it, both or neither. Returns what was stacked, for a person. */
export function stackRoot(machine: Machine, plan: BootPlan, tools: Tools): string {
  const layers: string[] = [];
  let inRam = false;
  if (plan.image !== null) {
    const image = mountImage(machine, plan.image, plan.overlay === null ? PLACES.root : PLACES.lower, tools);
    inRam = image.inRam;
    layers.push(`${printable(image.path)} (${image.type}${image.inRam ? ", in RAM" : ""})`);
  }
  if (plan.overlay !== null) {
    stackOverlay(machine, plan.overlay, PLACES.lower, tools.modules, tools.undo);
    layers.push(`tmpfs${plan.overlay.size === null ? "" : ` ${plan.overlay.size}`}`);
  }
  if (inRam) releaseMedium(machine, tools.voice);
  return layers.length > 0 ? `${layers.join(" + ")} at ${PLACES.root}` : "nothing to stack";
}

interface Tools {
  readonly modules: Loader;
  readonly voice: Voice;
  readonly undo: Undo;
}

const DAMAGED = "the file is damaged or not an image: write it to the medium again and compare its checksum";

/** Finds the image on the medium, copies it to RAM if asked, and mounts it read-only at `target`. */
function mountImage(machine: Machine, image: ImagePlan, target: string, tools: Tools): MountedImage {
  const path = findImage(machine, image);
  const { modules, voice, undo } = tools;
  const copy = image.copyToRam ? copyToRam(machine, `${PLACES.medium}${path}`, PLACES.ram, voice) : null;
  if (copy !== null) undo(() => machine.unmount(PLACES.ram));
  const loop = openImage(machine, copy ?? `${PLACES.medium}${path}`, modules);
  undo(() => machine.detachLoop(loop.node));
  const order = { device: loop, target, types: [], writable: false, options: "", hint: DAMAGED };
  try {
    const type = mountDevice(machine, order, modules, voice);
    undo(() => machine.unmount(target));
    return { path, type, inRam: copy !== null };
  } catch (error) {
    throw new BootError(`the image ${printable(path)} cannot be mounted`, { cause: error });
  }
}

/** Only when nothing can fail any more: a second try would need the medium again. */
function releaseMedium(machine: Machine, voice: Voice): void {
  try {
    machine.unmount(PLACES.medium);
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`the medium cannot be taken out, it stays mounted: ${describeRefusal(error)}`);
  }
}

/** Stacks a tmpfs over the read-only tree at `lower`; the merged tree is at /sysroot. */
function stackOverlay(
  machine: Machine,
  overlay: OverlayPlan,
  lower: string,
  modules: FilesystemLoader,
  undo: Undo,
): void {
  modules.loadFilesystem("overlay");
  const options = overlay.size === null ? "mode=0755" : `mode=0755,size=${overlay.size}`;
  machine.makeDirectory(PLACES.overlay);
  machine.mount({ source: "tmpfs", target: PLACES.overlay, type: "tmpfs", flags: [], options });
  undo(() => machine.unmount(PLACES.overlay));
  for (const part of ["upper", "work"]) machine.makeDirectory(`${PLACES.overlay}/${part}`, 0o755);
  makePlace(machine, PLACES.root);
  const stack = `lowerdir=${lower},upperdir=${PLACES.overlay}/upper,workdir=${PLACES.overlay}/work`;
  const mark = machine.kernelLogMark();
  try {
    machine.mount({ source: "overlay", target: PLACES.root, type: "overlay", flags: [], options: stack });
  } catch (error) {
    const kernel = machine.kernelLogSince(mark).map((line) => `kernel: ${line}`);
    throw new BootError("could not stack the overlay over the root", {
      cause: kernel.length > 0 ? new BootError(kernel.join("\n"), { cause: error }) : error,
      hint: "the kernel's overlay module is missing from this image (levain image --module overlay), or rd.overlay= is wrong",
    });
  }
  undo(() => machine.unmount(PLACES.root));
}

function findImage(machine: Machine, image: ImagePlan): string {
  const found = image.paths.find((path) => machine.stat(`${PLACES.medium}${path}`)?.kind === "file");
  if (found !== undefined) return found;
  const names = machine.listDirectory(PLACES.medium).slice(0, 12).map(printable);
  throw new BootError(`there is no image ${image.paths.map(printable).join(" or ")} on the medium`, {
    seen: names.length > 0 ? names : ["an empty filesystem"],
    hint: "correct rd.image= (a path on the root device), or rd.live.dir= and rd.live.squashimg=",
  });
}

import type { Undo } from "../drivers/context.ts";
import type { FilesystemLoader } from "../filesystems/mount.ts";
import { makePlace, PLACES } from "../filesystems/places.ts";
import type { Machine } from "../machine/machine.ts";
import type { OverlayPlan } from "../parameters/layer.ts";
import { BootError } from "../problems/errors.ts";

/** Merges the read-only trees at `lowers`, the lowest first, at /sysroot: below a tmpfs, or without one where `overlay` is null (then it takes two of them). */
export function stackOverlay(
  machine: Machine,
  overlay: OverlayPlan | null,
  lowers: readonly string[],
  { modules, undo }: { readonly modules: FilesystemLoader; readonly undo: Undo },
): void {
  modules.loadFilesystem("overlay");
  const options = [`lowerdir=${lowers.toReversed().join(":")}`];
  if (overlay !== null) {
    mountUpper(machine, overlay, undo);
    options.push(`upperdir=${PLACES.overlay}/upper`, `workdir=${PLACES.overlay}/work`);
  }
  makePlace(machine, PLACES.root);
  const mark = machine.kernelLogMark();
  const [flags, source] = [overlay === null ? (["ro"] as const) : [], "overlay"];
  try {
    machine.mount({ source, target: PLACES.root, type: "overlay", flags, options: options.join(",") });
  } catch (error) {
    const kernel = machine.kernelLogSince(mark).map((line) => `kernel: ${line}`);
    throw new BootError("could not stack the overlay over the root", {
      cause: kernel.length > 0 ? new BootError(kernel.join("\n"), { cause: error }) : error,
      hint: "the kernel's overlay module is missing from this image (levain image --module overlay), or rd.overlay= is wrong",
    });
  }
  undo(() => machine.unmount(PLACES.root));
}

function mountUpper(machine: Machine, { size }: OverlayPlan, undo: Undo): void {
  const options = size === null ? "mode=0755" : `mode=0755,size=${size}`;
  machine.makeDirectory(PLACES.overlay);
  machine.mount({ source: "tmpfs", target: PLACES.overlay, type: "tmpfs", flags: [], options });
  undo(() => machine.unmount(PLACES.overlay));
  for (const part of ["upper", "work"]) machine.makeDirectory(`${PLACES.overlay}/${part}`, 0o755);
}

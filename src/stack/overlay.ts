import type { Context } from "../drivers/context.ts";
import { makePlace } from "../filesystems/mount.ts";
import { problem } from "../problems/problem.ts";
import type { RootStack, Upper } from "./root-stack.ts";

/** Merges the lower trees of a stack and its upper; without an upper the root is read-only, and overlayfs needs two lowers. Throws BootError. */
export function mountOverlay(context: Context, { lowers, upper, merged }: RootStack): void {
  const { machine, drivers, undo } = context;
  drivers.loadFilesystem("overlay");
  const places = lowers.map(({ place }) => place);
  const options = [`lowerdir=${places.toReversed().join(":")}`];
  if (upper !== null) options.push(...mountUpper(context, upper));
  makePlace(machine, merged);
  const mark = machine.kernelLogMark();
  const flags = upper === null ? (["ro"] as const) : [];
  try {
    machine.mount({ source: "overlay", target: merged, type: "overlay", flags, options: options.join(",") });
  } catch (cause) {
    throw problem("overlay-refused", { place: merged, kernel: machine.kernelLogSince(mark) }, { cause });
  }
  undo(() => machine.unmount(merged));
}

/** Mounts the upper; returns its options for the overlay. */
function mountUpper({ machine, undo }: Context, { place, size }: Upper): readonly string[] {
  const options = size === null ? "mode=0755" : `mode=0755,size=${size}`;
  machine.makeDirectory(place);
  machine.mount({ source: "tmpfs", target: place, type: "tmpfs", flags: [], options });
  undo(() => machine.unmount(place));
  for (const part of ["upper", "work"]) machine.makeDirectory(`${place}/${part}`, 0o755);
  return [`upperdir=${place}/upper`, `workdir=${place}/work`];
}

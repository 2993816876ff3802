import type { Machine } from "../machine/machine.ts";
import { BootError } from "../problems/errors.ts";

/** Where the parts of a stacked root stay visible, also after the handover. The merged root is not below /run: /run could not move into it then (ELOOP). */
export const PLACES = {
  root: "/sysroot",
  medium: "/run/levain/medium",
  /** What an ISO file on the medium holds. */
  iso: "/run/levain/iso",
  /** An image whose root is an image inside of it. */
  outer: "/run/levain/outer",
  /** Where a device is looked at for a moment. */
  search: "/run/levain/search",
  lower: "/run/levain/lower",
  overlay: "/run/levain/overlay",
  ram: "/run/levain/ram",
} as const;

/** Where the lower layer number `index`, from below, of `count` layers is mounted. */
export function lowerPlace(index: number, count: number): string {
  return count === 1 ? PLACES.lower : `${PLACES.lower}/${index}`;
}

/** Makes a directory that the boot needs in this system. Throws a BootError: a classic initrd may be read-only. */
export function makePlace(machine: Machine, path: string): void {
  try {
    machine.makeDirectory(path);
  } catch (cause) {
    throw new BootError(`there is no directory ${path} to mount at, and it cannot be made`, {
      cause,
      hint: `the image that this boots from needs a directory ${path}`,
    });
  }
}

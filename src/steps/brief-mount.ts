import { isErrno } from "../errors.ts";
import type { Machine, MountRequest } from "../machine/machine.ts";
import { isMounted } from "./mounts.ts";
import { PLACES } from "./places.ts";

/** Mounts read-only at a place of its own for as long as `use` looks at it. Throws SyscallError where the mount is refused, and what `use` throws; that it cannot be unmounted is no failure of the look, and is made up for by the next one. */
export function mountBriefly<T>(
  machine: Machine,
  what: Pick<MountRequest, "source" | "type" | "options">,
  use: (directory: string) => T,
): T {
  machine.makeDirectory(PLACES.search);
  // A second mount of the same at the same place is EBUSY.
  if (isMounted(machine, PLACES.search)) machine.unmount(PLACES.search);
  machine.mount({ ...what, target: PLACES.search, flags: ["ro"] });
  try {
    return use(PLACES.search);
  } finally {
    letGo(machine);
  }
}

function letGo(machine: Machine): void {
  try {
    machine.unmount(PLACES.search);
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

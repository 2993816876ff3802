import type { Context } from "../drivers/context.ts";
import type { Loader } from "../drivers/loader.ts";
import { driversOf } from "../formats/filesystems/filesystem-types.ts";
import type { Machine, MountRequest } from "../machine/machine.ts";
import { isErrno, tolerateRefusal } from "../problems/errors.ts";
import { isMounted } from "./mounts.ts";
import { mountUntouched } from "./untouched.ts";

/** The mount point for a brief look at a filesystem. */
const SEARCH = "/run/levain/search";
const SEARCH_FLAGS = ["ro", "nosuid", "nodev", "noexec"] as const;

/** Mounts the filesystem of a device read-only while `use` looks at it, with the first of its drivers that the kernel has; nothing is written to the device. Throws SyscallError if the mount is refused, and what `use` throws. */
export function mountDeviceBriefly<T>(
  context: Pick<Context, "machine"> & { readonly drivers: Pick<Loader, "loadFilesystem"> },
  { node, type, drivers = driversOf(type) }: { node: string; type: string; drivers?: readonly string[] },
  use: (directory: string) => T,
): T {
  const [driver = type, ...others] = drivers;
  const { machine } = context;
  context.drivers.loadFilesystem(driver);
  prepareSearch(machine);
  const request = { source: node, target: SEARCH, type: driver, flags: SEARCH_FLAGS, options: "" };
  let release: () => void;
  try {
    release = mountUntouched(machine, request);
  } catch (error) {
    if (others.length === 0 || !isErrno(error, "ENODEV")) throw error;
    return mountDeviceBriefly(context, { node, type, drivers: others }, use);
  }
  try {
    return useSearch(machine, use);
  } finally {
    release();
  }
}

/** Mounts read-only with the given options while `use` reads: for a filesystem without a device, or a device that may be mounted elsewhere, which must not be protected. */
export function lookInto<T>(
  machine: Machine,
  what: Pick<MountRequest, "source" | "type" | "options">,
  use: (directory: string) => T,
): T {
  prepareSearch(machine);
  machine.mount({ ...what, target: SEARCH, flags: SEARCH_FLAGS });
  return useSearch(machine, use);
}

function prepareSearch(machine: Machine): void {
  machine.makeDirectory(SEARCH);
  // A second mount of the same filesystem at the same place is EBUSY.
  if (isMounted(machine, SEARCH)) machine.unmount(SEARCH);
}

/** Looks, then unmounts. If that is refused, the next look unmounts it. */
function useSearch<T>(machine: Machine, use: (directory: string) => T): T {
  try {
    return use(SEARCH);
  } finally {
    tolerateRefusal(() => machine.unmount(SEARCH));
  }
}

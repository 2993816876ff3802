import type { Context } from "../drivers/context.ts";
import type { Loader } from "../drivers/loader.ts";
import { driversOf, filesystemType } from "../formats/filesystems/filesystem-types.ts";
import type { Machine, MountRequest } from "../machine/machine.ts";
import { isErrno, tolerateRefusal } from "../problems/errors.ts";
import { isMounted } from "./mounts.ts";

/** The part of the loader that a mount uses. */
interface FilesystemDrivers {
  readonly drivers: Pick<Loader, "loadFilesystem">;
}

/** The mount point for a brief look at a filesystem. */
const SEARCH = "/run/levain/search";

/** Mounts the filesystem of a device as `mountBriefly` does, with the first of its drivers that the kernel has, and without replaying its journal. */
export function mountDeviceBriefly<T>(
  context: Pick<Context, "machine"> & FilesystemDrivers,
  { node, type, drivers = driversOf(type) }: { node: string; type: string; drivers?: readonly string[] },
  use: (directory: string) => T,
): T {
  const [driver = type, ...others] = drivers;
  const mount = { source: node, type: driver, options: filesystemType(driver).withoutReplay ?? "" };
  let isMountedNow = false;
  context.drivers.loadFilesystem(driver);
  try {
    return mountBriefly(context.machine, mount, (directory) => {
      isMountedNow = true;
      return use(directory);
    });
  } catch (error) {
    if (isMountedNow || others.length === 0 || !isErrno(error, "ENODEV")) throw error;
    return mountDeviceBriefly(context, { node, type, drivers: others }, use);
  }
}

/** Mounts a filesystem read-only while `use` looks at it. Throws SyscallError if the mount is refused, and what `use` throws. If it cannot be unmounted, the next call does that. */
export function mountBriefly<T>(
  machine: Machine,
  what: Pick<MountRequest, "source" | "type" | "options">,
  use: (directory: string) => T,
): T {
  machine.makeDirectory(SEARCH);
  // A second mount of the same filesystem at the same place is EBUSY.
  if (isMounted(machine, SEARCH)) machine.unmount(SEARCH);
  machine.mount({ ...what, target: SEARCH, flags: ["ro", "nosuid", "nodev", "noexec"] });
  try {
    return use(SEARCH);
  } finally {
    tolerateRefusal(() => machine.unmount(SEARCH));
  }
}

import type { Machine, MountRequest } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";
import { driversOf, type FilesystemLoader } from "./mount.ts";
import { isMounted } from "./mounts.ts";
import { PLACES } from "./places.ts";

/** How each type is mounted without a write to its journal: a look must not change what it looks at. */
const WITHOUT_JOURNAL: Readonly<Record<string, string>> = {
  ext3: "noload",
  ext4: "noload",
  xfs: "norecovery",
  f2fs: "norecovery",
  nilfs2: "norecovery",
  btrfs: "rescue=nologreplay",
};

/** The same for the filesystem of a device, by whichever of its drivers the kernel has, and without a write to its journal. */
export function mountDeviceBriefly<T>(
  machine: Machine,
  modules: FilesystemLoader,
  { node, type, drivers = driversOf(type) }: { node: string; type: string; drivers?: readonly string[] },
  use: (directory: string) => T,
): T {
  const [driver = type, ...others] = drivers;
  const mount = { source: node, type: driver, options: WITHOUT_JOURNAL[driver] ?? "" };
  let isThere = false;
  modules.loadFilesystem(driver);
  try {
    return mountBriefly(machine, mount, (directory) => {
      isThere = true;
      return use(directory);
    });
  } catch (error) {
    if (isThere || others.length === 0 || !isErrno(error, "ENODEV")) throw error;
    return mountDeviceBriefly(machine, modules, { node, type, drivers: others }, use);
  }
}

/** Mounts read-only at a place of its own for as long as `use` looks at it. Throws SyscallError where the mount is refused, and what `use` throws; that it cannot be unmounted is no failure of the look, and is made up for by the next one. */
export function mountBriefly<T>(
  machine: Machine,
  what: Pick<MountRequest, "source" | "type" | "options">,
  use: (directory: string) => T,
): T {
  machine.makeDirectory(PLACES.search);
  // A second mount of the same at the same place is EBUSY.
  if (isMounted(machine, PLACES.search)) machine.unmount(PLACES.search);
  machine.mount({ ...what, target: PLACES.search, flags: ["ro", "nosuid", "nodev", "noexec"] });
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

import { withReader } from "../devices/block-devices.ts";
import { filesystemType, untouchedOptions } from "../formats/filesystems/filesystem-types.ts";
import type { Machine, MountRequest } from "../machine/machine.ts";
import { isErrno, orIfRefused, tolerateRefusal } from "../problems/errors.ts";

/**
 * Mounts a filesystem of a block device so that nothing is written to the device: without its journal, and with the device
 * read-only for the kernel. Returns the function that makes the device as it was, to be called after the unmount. Throws
 * SyscallError.
 */
export function mountUntouched(machine: Machine, request: MountRequest): () => void {
  const { source, type } = request;
  const flags = request.flags.includes("ro") ? request.flags : [...request.flags, "ro" as const];
  const options = untouchedOptions(type, request.options);
  if (options === null) {
    machine.mount({ ...request, flags });
    return () => undefined;
  }
  const isProtected = orIfRefused(() => {
    machine.protectDevice(source);
    return true;
  }, false);
  const release = () => (isProtected ? tolerateRefusal(() => machine.releaseDevice(source)) : undefined);
  try {
    mountWithout(machine, { ...request, flags, options }, isProtected ? request.options : null);
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

/** Mounts with the options of a mount that writes nothing. An old driver may not know them: on a device that is read-only, it refuses a journal instead of replaying it, so that `plain` options, if given, are safe there. */
function mountWithout(machine: Machine, request: MountRequest, plain: string | null): void {
  try {
    machine.mount(request);
  } catch (error) {
    if (plain === null || plain === request.options || !isErrno(error, "EINVAL")) throw error;
    try {
      machine.mount({ ...request, options: plain });
    } catch (refusal) {
      // Not a filesystem of that type, or an unknown option of the user: the first refusal is the one to report.
      throw isErrno(refusal, "EINVAL") ? error : refusal;
    }
  }
}

/** True if the filesystem was not unmounted: its newest changes are in a journal that `mountUntouched` does not replay. */
export function hasUnreplayedJournal(machine: Machine, node: string, type: string): boolean {
  const { isUnclean } = filesystemType(type);
  return isUnclean !== undefined && orIfRefused(() => withReader(machine, node, isUnclean), false);
}

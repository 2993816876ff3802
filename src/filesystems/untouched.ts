import { withReader } from "../devices/block-devices.ts";
import { filesystemType, untouchedOptions } from "../formats/filesystems/filesystem-types.ts";
import type { Machine } from "../machine/machine.ts";
import type { MountRequest } from "../machine/mounts.ts";
import { isErrno, orIfRefused, tolerateRefusal } from "../problems/errors.ts";

/**
 * Mounts a filesystem of a block device so that nothing is written to the device: with the device read-only for the kernel,
 * and without its journal unless that is known to be empty. Returns the function that makes the device as it was, to be called
 * after the unmount. Throws SyscallError.
 */
export function mountUntouched(machine: Machine, request: MountRequest): () => void {
  const { source, type } = request;
  const plain = readOnly(request);
  const options = untouchedOptions(type, request.options);
  if (options === null) {
    machine.mount(plain);
    return () => undefined;
  }
  const isProtected = orIfRefused(() => {
    machine.protectDevice(source);
    return true;
  }, false);
  const release = () => (isProtected ? tolerateRefusal(() => machine.releaseDevice(source)) : undefined);
  try {
    const untouched = { ...plain, options };
    if (isProtected) mountProtected(machine, plain, untouched);
    else machine.mount(untouched);
    return release;
  } catch (error) {
    // A mount that is still under way must not find the device writable.
    if (!isErrno(error, "ETIMEDOUT")) release();
    throw error;
  }
}

/**
 * Mounts from a device that is read-only, where a driver refuses a journal instead of replaying it. A clean filesystem is mounted
 * by `plain`: the real system may mount the device as well and make it writable, which btrfs (nologreplay) and XFS (norecovery)
 * refuse as long as a mount has their option, and ext4 (noload) would then do without a journal. If that is refused, the journal
 * is not empty after all. For others, `untouched` is the first choice, and `plain` for an old driver that does not know its option.
 */
function mountProtected(machine: Machine, plain: MountRequest, untouched: MountRequest): void {
  if (readUnclean(machine, plain.source, plain.type) === false)
    mountEither(machine, plain, untouched, ["EINVAL", "EROFS"]);
  else mountEither(machine, untouched, plain, ["EINVAL"]);
}

/** Mounts by `first`, or if that is refused with one of these errors, by `second`. */
function mountEither(machine: Machine, first: MountRequest, second: MountRequest, errors: readonly string[]): void {
  try {
    machine.mount(first);
  } catch (error) {
    if (first.options === second.options || !isErrno(error, ...errors)) throw error;
    try {
      machine.mount(second);
    } catch (refusal) {
      // Not a filesystem of that type, or an unknown option of the user: the first refusal is the one to report.
      throw isErrno(refusal, "EINVAL") ? error : refusal;
    }
  }
}

/** Returns null if that cannot be read, or levain does not know where the type keeps it. */
function readUnclean(machine: Machine, node: string, type: string): boolean | null {
  const { isUnclean } = filesystemType(type);
  return isUnclean === undefined ? null : orIfRefused(() => withReader(machine, node, isUnclean), null);
}

/** True if the filesystem was not unmounted: its newest changes are in a journal that `mountUntouched` does not replay. */
export function hasUnreplayedJournal(machine: Machine, node: string, type: string): boolean {
  return readUnclean(machine, node, type) === true;
}

/** Returns the request with the flag "ro". */
export function readOnly(request: MountRequest): MountRequest {
  return request.flags.includes("ro") ? request : { ...request, flags: [...request.flags, "ro"] };
}

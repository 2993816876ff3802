import type { Context } from "../drivers/context.ts";
import type { Loader } from "../drivers/make-loader.ts";
import { driversOf } from "../formats/filesystems/filesystem-types.ts";
import type { Machine, RandomReader } from "../machine/machine.ts";
import type { ApartMounts, MountLook, MountRequest } from "../machine/mounts.ts";
import { isErrno, SyscallError, tolerateRefusal } from "../problems/errors.ts";
import { isMounted } from "./mounts.ts";
import { mountUntouched } from "./untouched.ts";

/** The mount point for a brief look at a filesystem. */
const SEARCH = "/run/levain/search";
/** How long a disk may take by default: as long as the key stick may take to appear. */
const LONG_MS = 10_000;
const SEARCH_FLAGS = ["ro", "nosuid", "nodev", "noexec"] as const;

/** Where a look leaves its mount if the disk has not answered: the next look at the same device goes on with it. */
export interface PendingMount {
  apart: ApartMounts | null;
  /** Makes the device as it was, when nothing of the mount is left. */
  release: () => void;
}

/** What is looked at, and how long the disk may take for each step. */
interface BriefMount {
  readonly node: string;
  readonly type: string;
  readonly drivers?: readonly string[];
  readonly timeoutMs?: number;
  readonly pending?: PendingMount;
}

/**
 * Mounts the filesystem of a device read-only while `use` looks at it, with the first of its drivers that the kernel has; nothing is
 * written to the device. Throws SyscallError if the mount is refused, ETIMEDOUT if the disk does not answer, and what `use` throws. The
 * machine that `use` gets throws ETIMEDOUT too, where another would wait for the disk.
 */
export function mountDeviceBriefly<T>(
  context: Pick<Context, "machine"> & { readonly drivers: Pick<Loader, "loadFilesystem"> },
  what: BriefMount,
  use: (directory: string, machine: Machine) => T,
): T {
  const { type, drivers = driversOf(type) } = what;
  const [driver = type, ...others] = drivers;
  context.drivers.loadFilesystem(driver);
  let mounted: Mounted;
  try {
    mounted = mountApart(context.machine, driver, what);
  } catch (error) {
    if (others.length === 0 || !isErrno(error, "ENODEV")) throw error;
    return mountDeviceBriefly(context, { ...what, drivers: others }, use);
  }
  let isLeft = false;
  try {
    return use(mounted.directory, mounted.machine);
  } catch (error) {
    isLeft = isErrno(error, "ETIMEDOUT") && what.pending !== undefined;
    throw error;
  } finally {
    if (isLeft) mounted.leave();
    else mounted.end();
  }
}

interface Mounted {
  readonly directory: string;
  readonly machine: Machine;
  readonly leave: () => void;
  readonly end: () => void;
}

function mountApart(machine: Machine, type: string, { node, timeoutMs = LONG_MS, pending }: BriefMount): Mounted {
  prepareSearch(machine);
  const left: PendingMount = pending ?? { apart: null, release: () => undefined };
  const before = pending?.apart ?? null;
  const apart = before ?? machine.mountApart();
  const deadlineMs = machine.nowMs() + timeoutMs;
  // A search goes on with other devices; what is waited for may take its time for each step.
  const leftMs = () => (pending === undefined ? timeoutMs : Math.max(0, deadlineMs - machine.nowMs()));
  let directory = SEARCH;
  const patient: Machine = {
    ...machine,
    mount(request) {
      directory = apart.mount(request, leftMs());
    },
    openReader: (path) => readPatiently(machine, path, timeoutMs),
    protectDevice(device) {
      machine.protectDevice(device);
      left.release = () => tolerateRefusal(() => machine.releaseDevice(device));
    },
    // Since the first look, which has also chosen the options: each new reader of a disk that hangs would leave a process behind.
    ...(before !== null && { protectDevice: () => undefined, openReader: neverAnswers }),
  };
  try {
    const request = { source: node, target: SEARCH, type, flags: SEARCH_FLAGS, options: "" };
    const release = mountUntouched(patient, request);
    left.apart = null;
    const end = () => {
      tolerateRefusal(apart.close);
      release();
    };
    const leave = () => {
      Object.assign(left, { apart, release });
    };
    return { directory, machine: readTouched(machine, apart, leftMs), end, leave };
  } catch (error) {
    const isLate = isErrno(error, "ETIMEDOUT");
    const isPending = isLate && pending !== undefined;
    left.apart = isPending ? apart : null;
    if (!isPending) apart.close(isLate ? left.release : undefined);
    throw error;
  }
}

/** The machine, with the files of a mount: another process looks at each of them first, and waits for the disk. Readers read by another process too. */
function readTouched(machine: Machine, apart: ApartMounts, leftMs: () => number): Machine {
  const after =
    <T>(look: MountLook, act: (path: string) => T) =>
    (path: string): T => {
      apart.touch(path, look, leftMs());
      return act(path);
    };
  return {
    ...machine,
    stat: after("status", machine.lstat),
    lstat: after("status", machine.lstat),
    readLink: after("target", machine.readLink),
    listDirectory: after("names", machine.listDirectory),
    readFile: after("content", machine.readFile),
    // Only what is asked for: a sparse file of a crafted filesystem may have any size.
    openReader: (path) => readPatiently(machine, path, leftMs()),
  };
}

function neverAnswers(path: string): never {
  throw new SyscallError("open", "ETIMEDOUT", path);
}

/** Reads by another process. A read that takes longer than `timeoutMs` is ETIMEDOUT. */
function readPatiently(machine: Machine, path: string, timeoutMs: number): RandomReader {
  const reader = machine.openAsyncReader(path);
  const orTooLate = <T>(answer: T | null): T => {
    if (answer === null) throw new SyscallError("read", "ETIMEDOUT", path);
    return answer;
  };
  return {
    get size() {
      return orTooLate(reader.size(timeoutMs));
    },
    read(offset, length) {
      const [bytes = new Uint8Array()] = orTooLate(reader.read([{ offset, length }], timeoutMs));
      if (bytes instanceof SyscallError) throw bytes;
      return bytes;
    },
    close: reader.close,
  };
}

/** Mounts with the given options, by default read-only, while `use` looks: for a filesystem without a device, or a device that may be mounted elsewhere, which must not be protected. */
export function lookInto<T>(
  machine: Machine,
  what: Pick<MountRequest, "source" | "type" | "options"> & Partial<Pick<MountRequest, "flags">>,
  use: (directory: string) => T,
): T {
  prepareSearch(machine);
  machine.mount({ flags: SEARCH_FLAGS, ...what, target: SEARCH });
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

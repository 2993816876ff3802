import type { MOUNT_FLAGS } from "./abi/constants.ts";
import type { OnWait } from "./kernel.ts";

/** The names of mount(8) for the flags of mount(2). */
export type MountFlag = keyof typeof MOUNT_FLAGS;

/** The arguments of mount(2). */
export interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags: readonly MountFlag[];
  /** The filesystem's own options, comma-separated, as mount(2)'s data: at most 4095 bytes of them count. */
  readonly options: string;
  /** Where relative paths in `options` begin; / by default. */
  readonly directory?: string;
  readonly onWait?: OnWait;
}

/** What is asked about a path: its status, where a link leads, the names in a directory, or the content of a file (its first 1.7 MiB). */
export type MountLook = "status" | "target" | "names" | "content";

/** A mount for a brief look, made by another process in a mount namespace of its own: a disk that does not answer holds up only that process. */
export interface ApartMounts {
  /**
   * Mounts, and returns the directory where this process sees the filesystem. ETIMEDOUT if the disk has not answered within
   * `timeoutMs`: the next call, with any request, waits for the same mount.
   */
  mount(request: MountRequest, timeoutMs: number): string;
  /**
   * Has that process look at a path of the filesystem, so that this process then finds in the kernel's memory what it asks about it.
   * ETIMEDOUT if the disk has not answered within `timeoutMs`: the next call waits for the same answer.
   */
  touch(path: string, look: MountLook, timeoutMs: number): void;
  /** Unmounts, also what is mounted only when the disk answers after all. Never waits longer than a second. `onEnd` is called when nothing of it is left, at the latest during the next mount. */
  close(onEnd?: () => void): void;
}

/** The mount table. */
export interface Mounts {
  mount(request: MountRequest): void;
  mountApart(): ApartMounts;
  /** Gives this process mounts of its own (unshare(2)): what it mounts from here on ends with it. */
  isolateMounts(): void;
  /** Moves a mount, never through a symbolic link: one in `to` is ELOOP. */
  moveMount(from: string, to: string): void;
  /** `lazy` is MNT_DETACH. ETIMEDOUT if the disk does not answer within 10 s; then the kernel unmounts when it does. */
  unmount(target: string, lazy?: boolean): void;
}

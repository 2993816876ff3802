import type { AsyncReader, OpenOptions } from "./async.ts";
import type { Children, Processes } from "./child.ts";
import type { Encryption } from "./encryption.ts";
import type { Kernel } from "./kernel.ts";
import type { Mounts } from "./mounts.ts";
import type { Connections } from "./network/connections.ts";
import type { Http } from "./network/http.ts";
import type { Networks } from "./network/network.ts";
import type { RemoteDisks } from "./network/remote.ts";
import type { Arrays } from "./storage/arrays.ts";
import type { LoopRequest } from "./storage/loops.ts";
import type { Terminals } from "./terminals.ts";
import type { Trees } from "./trees.ts";
import type { Watchdogs } from "./watchdog.ts";

/**
 * The only way to the operating system.
 *
 * Every method does what it says or throws `SyscallError`; none of them logs. They are synchronous on purpose: an init
 * has nothing else to do while it waits, and straight-line code keeps the order of a boot visible.
 */
export interface Machine
  extends Files,
    Mounts,
    Devices,
    Arrays,
    Networks,
    RemoteDisks,
    Kernel,
    Processes,
    Children,
    Clock,
    Encryption,
    Connections,
    Http,
    Terminals,
    Trees,
    Watchdogs {}

/** The part of `stat(2)` that a boot needs. */
export interface FileStatus {
  readonly kind: "file" | "directory" | "symlink" | "block" | "character" | "fifo" | "socket";
  /** Permission bits, 07777. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** The device that the file is on, as "major:minor". */
  readonly device: string;
  /** The device of a block or character node, as "major:minor"; else null. */
  readonly represents: string | null;
}

/** A file or block device opened for reading at any place. */
export interface RandomReader {
  /** Bytes. */
  readonly size: number;
  /** Returns up to `length` bytes from `offset`; fewer at the end, none beyond it. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** A file that is open for writing: it stays the same when its mount moves and its path leads elsewhere. */
export interface FileWriter {
  /** Replaces the content of the file. */
  replace(data: Uint8Array | string): void;
  /** Writes behind what `replace` and `append` have written. */
  append(data: Uint8Array): void;
  close(): void;
}

/** Files, directories, links and nodes; paths are absolute. */
export interface Files {
  readFile(path: string): Uint8Array;
  /** Creates or truncates; mode 0644. */
  writeFile(path: string, data: Uint8Array | string): void;
  /** Names, sorted bytewise, without `.` and `..`. */
  listDirectory(path: string): readonly string[];
  /** Creates a directory and its parents; an existing one is no error. */
  makeDirectory(path: string, mode?: number): void;
  makeSymlink(target: string, path: string): void;
  makeNode(path: string, kind: "block" | "character", major: number, minor: number, mode: number): void;
  /** Takes the attribute "immutable" from a file (FS_IOC_SETFLAGS), which efivarfs gives to its variables. */
  allowChanges(path: string): void;
  changeOwner(path: string, userId: number, groupId: number): void;
  /** Gives `target` the owner, the permissions, the ACLs and the security labels of `source`; labels and ACLs that its filesystem does not keep are left out. */
  copyAttributes(source: string, target: string): void;
  /** null if there is no such file (ENOENT, ENOTDIR). */
  stat(path: string): FileStatus | null;
  lstat(path: string): FileStatus | null;
  readLink(path: string): string;
  removeFile(path: string): void;
  /** Overwrites a file's bytes in place, then removes it: for secrets in a filesystem in memory. */
  wipeFile(path: string): void;
  removeDirectory(path: string): void;
  /** Removes a directory and all that it holds, of a symbolic link the link. Nothing may be mounted in it. */
  removeTree(path: string): void;
  /** Renames a file or directory within one mount, in one step that a power cut does not divide; an existing `to` is replaced as by rename(2). */
  rename(from: string, to: string): void;
  /** Waits until all that was written to the filesystem of `path` is on its disk (syncfs(2)). */
  syncFilesystem(path: string): void;
  /** `isWhole`: it will be read from its beginning to its end. */
  openReader(path: string, isWhole?: boolean): RandomReader;
  /** Begins to open a file or device; what the kernel refuses is thrown by the reader. */
  openAsyncReader(path: string, options?: OpenOptions): AsyncReader;
  /** Opens a file for writing without truncating it, or creates it with mode 0644. A symbolic link is ELOOP. */
  openWriter(path: string): FileWriter;
  /** Copies the content of a file or device; removes the target on failure, also of `watch`. */
  copyFile(source: string, target: string, watch?: CopyWatch): void;
  /** Returns the digest of a file that has fs-verity enabled (FS_IOC_MEASURE_VERITY), "sha256:…" as `fsverity measure` prints it; null for any other file. */
  measureVerity(path: string): string | null;
  /** `statfs(2)`; the magic number is one of linux/magic.h. */
  statFilesystem(path: string): { readonly magic: number; readonly totalBytes: number; readonly freeBytes: number };
}

/** What is called while a file is copied. */
export interface CopyWatch {
  /** Called after each part, of a few MiB. */
  readonly onProgress?: (bytesDone: number) => void;
  /** Gets all bytes of the copy in their order; they are overwritten after the call. */
  readonly onBytes?: ((part: Uint8Array) => void) | undefined;
}

/** A kernel uevent (lib/kobject_uevent.c): `action` "add", "change", "remove", …; `devpath` below /sys; all KEY=value pairs. */
export interface DeviceEvent {
  readonly action: string;
  readonly devpath: string;
  readonly subsystem: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** Uevents, loop devices, btrfs devices, and block devices that nothing may write to. */
export interface Devices {
  /** Starts to collect uevents (NETLINK_KOBJECT_UEVENT, kernel group). `nextDeviceEvent` reports a loss (ENOBUFS) as action "overflow", and again after the last queued event. Calling it again is no error. */
  listenForDevices(): void;
  /** Waits for the next uevent at most `timeoutMs` (null: no limit); null on timeout, or earlier if an answer for an `AsyncReader`, `ApartMounts` or a `PendingModule` has come. */
  nextDeviceEvent(timeoutMs: number | null): DeviceEvent | null;
  /** Sets up a free loop device by LOOP_CONFIGURE, or LOOP_SET_FD before Linux 5.8; returns its node, as "/dev/loop0". */
  attachLoop(request: LoopRequest): string;
  detachLoop(device: string): void;
  /** Makes the kernel treat a block device as read-only (BLKROSET), so that no filesystem repairs it when it is mounted. Each call counts: the device stays so until as many calls of `releaseDevice`. */
  protectDevice(device: string): void;
  /** Takes back one `protectDevice`; does nothing for a device that is not protected. One that was read-only before stays so. */
  releaseDevice(device: string): void;
  /** Takes back every `protectDevice`, also if a node has moved since. */
  releaseDevices(): void;
  /** Overwrites bytes of a block device in place, and waits until they are on the disk. */
  writeDevice(device: string, offset: number, data: Uint8Array): void;
  /** Registers a device of a btrfs with the kernel (BTRFS_IOC_DEVICES_READY of /dev/btrfs-control); true if the kernel knows all devices of the filesystem. */
  registerBtrfs(device: string): boolean;
  /** Makes the kernel forget all btrfs devices that are not mounted. ENOTTY before Linux 5.0. */
  forgetBtrfs(): void;
}

/** Time and sleeping. */
export interface Clock {
  /** Milliseconds since the kernel started (CLOCK_MONOTONIC), with fractions. */
  nowMs(): number;
  /** The time of day: milliseconds since 1970 (CLOCK_REALTIME). */
  timeOfDayMs(): number;
  setTimeOfDay(ms: number): void;
  sleepMs(ms: number): void;
}

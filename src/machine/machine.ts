import type { Children } from "./child.ts";
import type { Encryption } from "./encryption.ts";
import type { Kernel } from "./kernel.ts";
import type { Terminals } from "./terminals.ts";
import type { Writers } from "./writers.ts";

/**
 * All that this program may ask of the operating system.
 *
 * Every method does what it says or throws `SyscallError`; none of them logs. They are synchronous on purpose: an init
 * has nothing else to do while it waits, and straight-line code keeps the order of a boot visible.
 */
export interface Machine
  extends Files,
    Mounts,
    Devices,
    Kernel,
    Processes,
    Children,
    Clock,
    Encryption,
    Terminals,
    Writers {}

/** What `stat(2)` says, as far as a boot asks. */
export interface FileStatus {
  readonly kind: "file" | "directory" | "symlink" | "block" | "character" | "fifo" | "socket";
  /** Permission bits, 07777. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** The device the file lies on, as "major:minor". */
  readonly device: string;
  /** For block and character nodes the device they stand for, as "major:minor"; else null. */
  readonly represents: string | null;
}

/** A file or block device opened for reading at any place. */
export interface RandomReader {
  /** Bytes. */
  readonly size: number;
  /** Up to `length` bytes from `offset`; shorter at the end, empty beyond it. Throws SyscallError on an I/O error. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** `statfs(2)`. */
export interface FilesystemStatus {
  /** The magic number, as in linux/magic.h. */
  readonly magic: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Files, directories, links and nodes; paths are absolute. */
export interface Files {
  readFile(path: string): Uint8Array;
  /** Creates or truncates; mode 0644. */
  writeFile(path: string, data: Uint8Array | string): void;
  /** Names, sorted bytewise, without `.` and `..`. */
  listDirectory(path: string): readonly string[];
  /** With its parents; one that exists is no error. */
  makeDirectory(path: string, mode?: number): void;
  makeSymlink(target: string, path: string): void;
  makeNode(path: string, kind: "block" | "character", major: number, minor: number, mode: number): void;
  changeOwner(path: string, userId: number, groupId: number): void;
  /** null where nothing is there (ENOENT, ENOTDIR). */
  stat(path: string): FileStatus | null;
  lstat(path: string): FileStatus | null;
  readLink(path: string): string;
  removeFile(path: string): void;
  /** Overwrites a file's bytes in their place, then removes it: for what was secret and lies in memory. */
  wipeFile(path: string): void;
  removeDirectory(path: string): void;
  openReader(path: string): RandomReader;
  /** Copies a file or a device's content, telling the bytes done so far at least every few MiB; the target is removed again on failure. */
  copyFile(source: string, target: string, onProgress: (bytesDone: number) => void): void;
  statFilesystem(path: string): FilesystemStatus;
}

/** The words of mount(8) for the flags of mount(2). */
export type MountFlag =
  | "ro"
  | "nosuid"
  | "nodev"
  | "noexec"
  | "bind"
  | "remount"
  | "rec"
  | "private"
  | "noatime"
  | "nodiratime"
  | "relatime"
  | "strictatime"
  | "lazytime"
  | "sync"
  | "dirsync";

/** What mount(2) is asked for. */
export interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags: readonly MountFlag[];
  /** The filesystem's own options, comma-separated, as mount(2)'s data. */
  readonly options: string;
}

/** The mount table. */
export interface Mounts {
  mount(request: MountRequest): void;
  /** Never through a symbolic link: one in `to` is ELOOP. */
  moveMount(from: string, to: string): void;
  /** `lazy` is MNT_DETACH. */
  unmount(target: string, lazy?: boolean): void;
}

/** A kernel uevent (lib/kobject_uevent.c): `action` "add", "change", "remove", …; `devpath` below /sys; every KEY=value of it. */
export interface DeviceEvent {
  readonly action: string;
  readonly devpath: string;
  readonly subsystem: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** What a loop device is set up for. */
export interface LoopRequest {
  readonly file: string;
  readonly readOnly: boolean;
  /** Bytes into the file where the device begins. */
  readonly offset?: number;
}

/** Devices that come and go, and loop devices. */
export interface Devices {
  /** Starts to collect uevents (NETLINK_KOBJECT_UEVENT, kernel group); from here on none is lost, or the loss (ENOBUFS) is reported by `nextDeviceEvent` as action "overflow", again when the last that was kept has been taken. Calling it again is no error. */
  listenForDevices(): void;
  /** The next uevent, waiting for it at most `timeoutMs` (null: for ever); null when the time is up. */
  nextDeviceEvent(timeoutMs: number | null): DeviceEvent | null;
  /** Sets a free loop device up by LOOP_CONFIGURE, or LOOP_SET_FD before Linux 5.8; returns its node, as "/dev/loop0". */
  attachLoop(request: LoopRequest): string;
  detachLoop(device: string): void;
  /** Makes a device of a btrfs known to the kernel (BTRFS_IOC_DEVICES_READY of /dev/btrfs-control); true when it knows all devices of that filesystem. */
  registerBtrfs(device: string): boolean;
  /** Makes the kernel forget every device of a btrfs that is not mounted. ENOTTY before Linux 5.0. */
  forgetBtrfs(): void;
}

/** How a program ended. */
export interface RunResult {
  /** The exit status, or 128 + the signal's number. */
  readonly status: number;
  /** stdout and stderr where `capture` was asked for, cut at 64 KiB. */
  readonly output: string;
}

/** What stage0, PID 1, does after this process is gone. Paths are as seen from the initramfs's root. */
export interface Handover {
  readonly mode: "switch_root" | "pivot_root" | "stay";
  /** The mount point of the new root; "/" for stay. */
  readonly root: string;
  /** For pivot_root: a directory of the new root, as "/initrd", where the old root is kept; null unmounts it. */
  readonly putOld: string | null;
  /** The program, a path in the new root. */
  readonly init: string;
  /** argv from argv[0] on. */
  readonly argv: readonly string[];
  /** "NAME=value" each. */
  readonly environment: readonly string[];
}

/** Other programs, the console, and stage0, which waits for the handover. */
export interface Processes {
  /** True where stage0 waits for a handover from this process: we are the boot. */
  readonly isBoot: boolean;
  /** Runs a program to its end; argv[0] is a path. `capture` collects its output instead of showing it. */
  run(
    argv: readonly string[],
    options?: { readonly capture?: boolean; readonly environment?: Readonly<Record<string, string>> },
  ): RunResult;
  /** Runs a program in a session of its own with `terminal` (a tty node) as its controlling terminal; returns its exit status. `onStart` is told its process id. */
  runOnTerminal(
    argv: readonly string[],
    terminal: string,
    environment: Readonly<Record<string, string>>,
    onStart: (pid: number) => void,
  ): number;
  /** Sends SIGHUP; a process that is gone is no error. */
  hangUp(pid: number): void;
  /** Tells stage0 and ends this process. */
  handOver(handover: Handover): never;
  /** Text on the console (/dev/console), as it is. Never throws. */
  writeConsole(text: string): void;
}

/** Time, and waiting for it. */
export interface Clock {
  /** Milliseconds since the kernel started (CLOCK_MONOTONIC), with fractions. */
  nowMs(): number;
  sleepMs(ms: number): void;
}

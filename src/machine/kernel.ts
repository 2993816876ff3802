/** Called while something is waited for, first at once, with the milliseconds so far; returns after how many more to call it again. */
export type OnWait = (waitedMs: number) => number;

/** How to load a module. */
export interface LoadOptions {
  /** The kernel decompresses the file (MODULE_INIT_COMPRESSED_FILE). */
  readonly compressed?: boolean;
}

/** A module that another process loads: the driver of a device that does not answer holds up only that process. */
export interface PendingModule {
  /** Returns true if it is loaded, false if it is not within `timeoutMs`: the kernel probes the driver's devices meanwhile. Throws SyscallError if the kernel refused it. */
  isDone(timeoutMs: number): boolean;
}

/** A message of the kernel's own; milliseconds since it started. */
export interface KernelMessage {
  readonly atMs: number;
  readonly text: string;
}

/** The kernel itself: its name, its modules, its log, and the power switch. */
export interface Kernel {
  /** `uname -r`, and the machine as in `uname -m`. */
  release(): { readonly release: string; readonly machine: string };
  /** Begins to load a module by finit_module(2); `parameters` as on modprobe's command line. What the kernel refuses, also EEXIST, is thrown by the result. */
  startModule(path: string, parameters: string, options?: LoadOptions): PendingModule;
  /** Has the kernel look for a driver of the device at `directory`, as /sys/bus/virtio/devices/virtio1 (drivers_probe of its bus). Does not wait for the driver, and does nothing if no other process can. */
  probeDriver(directory: string): void;
  /** Writes a record to /dev/kmsg, `level` 0–7 as in syslog(2). Never throws: a log that fails must not fail a boot. */
  writeKernelLog(level: number, text: string): void;
  /** Returns the place in the kernel log after its newest record. */
  kernelLogMark(): number;
  /** Returns the texts of the kernel's own messages since `mark`, oldest first, without those of `writeKernelLog`. */
  kernelLogSince(mark: number): readonly string[];
  /** Returns all messages of the kernel that are still in its log, as `kernelLogSince`. */
  readKernelLog(): readonly KernelMessage[];
  /** Returns the program that takes a root apart at power-off (build/stage0/exit/exit.c); null if levain runs from its sources. */
  exitProgram(): Uint8Array | null;
  /** reboot(2); does not return on a real machine. */
  power(action: "reboot" | "poweroff" | "halt"): void;
}

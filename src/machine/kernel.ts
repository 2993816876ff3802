/** How to load a module. */
export interface LoadOptions {
  readonly compressed?: boolean;
  readonly patienceMs?: number;
}

/** The kernel itself: its name, its modules, its log, and the power switch. */
export interface Kernel {
  /** `uname -r`, and the machine as in `uname -m`. */
  release(): { readonly release: string; readonly machine: string };
  /** Loads a module by finit_module(2); `parameters` as on modprobe's command line. `compressed`: the kernel decompresses the file (MODULE_INIT_COMPRESSED_FILE). EEXIST is thrown like any other refusal. Returns false if the kernel, which probes the driver's devices meanwhile, is still busy after `patienceMs` (no limit by default): another process waits for it. */
  loadModule(path: string, parameters: string, options?: LoadOptions): boolean;
  /** Has the kernel look for a driver of the device at `directory`, as /sys/bus/virtio/devices/virtio1 (drivers_probe of its bus). Does not wait for the driver, and does nothing if no other process can. */
  probeDriver(directory: string): void;
  /** Writes a record to /dev/kmsg, `level` 0–7 as in syslog(2). Never throws: a log that fails must not fail a boot. */
  writeKernelLog(level: number, text: string): void;
  /** Returns the place in the kernel log after its newest record. */
  kernelLogMark(): number;
  /** Returns the kernel's own messages since `mark` (null: all that are still in the log), oldest first, without those of `writeKernelLog`. */
  kernelLogSince(mark: number | null): readonly string[];
  /** reboot(2); does not return on a real machine. */
  power(action: "reboot" | "poweroff" | "halt"): void;
}

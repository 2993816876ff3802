/** The kernel itself: its name, its modules, its log, and the power switch. */
export interface Kernel {
  /** `uname -r`, and the machine as in `uname -m`. */
  release(): { readonly release: string; readonly machine: string };
  /** Loads a module by finit_module(2); `parameters` as on modprobe's command line. `compressed`: the kernel decompresses the file (MODULE_INIT_COMPRESSED_FILE). EEXIST is thrown like any other refusal. */
  loadModule(path: string, parameters: string, options?: { readonly compressed?: boolean }): void;
  /** Writes a record to /dev/kmsg, `level` 0–7 as in syslog(2). Never throws: a log that fails must not fail a boot. */
  writeKernelLog(level: number, text: string): void;
  /** Returns the place in the kernel log after its newest record. */
  kernelLogMark(): number;
  /** Returns the kernel's own messages since `mark` (null: all that are still in the log), oldest first, without those of `writeKernelLog`. */
  kernelLogSince(mark: number | null): readonly string[];
  /** reboot(2); does not return on a real machine. */
  power(action: "reboot" | "poweroff" | "halt"): void;
}

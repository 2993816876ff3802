/** The kernel itself: its name, its modules, its log, and the power switch. */
export interface Kernel {
  /** `uname -r`, and the machine as in `uname -m`. */
  release(): { readonly release: string; readonly machine: string };
  /** finit_module; `parameters` as on modprobe's command line. `compressed` leaves the decompression to the kernel (MODULE_INIT_COMPRESSED_FILE), else the file must not be. EEXIST is thrown like any other refusal. */
  loadModule(path: string, parameters: string, options?: { readonly compressed?: boolean }): void;
  /** One record into /dev/kmsg, `level` 0–7 as in syslog(2). Never throws: a log that fails must not fail a boot. */
  writeKernelLog(level: number, text: string): void;
  /** The place in the kernel's log after its newest record. */
  kernelLogMark(): number;
  /** What the kernel itself has said since `mark` (null: all that it still has since its start), one message each, oldest first, without what `writeKernelLog` wrote. */
  kernelLogSince(mark: number | null): readonly string[];
  /** reboot(2); does not return on a real machine. */
  power(action: "reboot" | "poweroff" | "halt"): void;
}

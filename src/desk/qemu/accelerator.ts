import { accessSync, constants } from "node:fs";
import { findTool } from "../tool.ts";

/**
 * The CPU of a guest that QEMU emulates. Bun needs x86-64-v2, which "max" has. Without ERMS and FSRM: with them the kernel copies
 * and clears memory by `rep movsb` and `rep stosb`, which TCG emulates byte by byte; that was a fifth of all that a guest cost.
 */
export const EMULATED_CPU = "max,-erms,-fsrm";

/**
 * What the kernel of an emulated guest needs to know. Where the host is busy, the timer's interrupts come too late for the kernel's
 * own test of them at the start, and it panics ("IO-APIC + timer doesn't work", arch/x86/kernel/apic/io_apic.c).
 */
export const EMULATED_WORDS = "no_timer_check";

/** What executes a guest's code. */
export type Accelerator = "kvm" | "tcg";

const DEVICE = "/dev/kvm";

/** Returns "kvm" if a virtual machine can be made with it; /dev/kvm may exist where the CPU, the hypervisor or a permission forbids that. */
export function chooseAccelerator(): Accelerator {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  const argv = [findTool("qemu-system-x86_64", "start a guest"), "-accel", "kvm", "-machine", "none", "-nodefaults"];
  const { exitCode } = Bun.spawnSync([...argv, "-display", "none", "-monitor", "stdio"], {
    stdin: new TextEncoder().encode("quit\n"),
    stdout: "ignore",
    stderr: "ignore",
  });
  return exitCode === 0 ? "kvm" : "tcg";
}

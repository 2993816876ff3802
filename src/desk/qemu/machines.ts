import type { Tool } from "../tool.ts";

/** An architecture of guests, as in `uname -m`. */
export type Architecture = "x86_64" | "aarch64";

/** How QEMU makes a machine of an architecture. */
export interface QemuMachine {
  readonly program: Tool;
  /** The value of `-machine`. */
  readonly board: string;
  /** The value of `-machine` for UEFI firmware. */
  readonly uefiBoard: string;
  /** The CPU of a guest that QEMU emulates. */
  readonly emulatedCpu: string;
  /** What the kernel of an emulated guest needs to know. */
  readonly emulatedWords: string;
  /** The serial port, as in console=. */
  readonly serial: string;
}

/** THE table of guests by architecture. */
export const MACHINES: Readonly<Record<Architecture, QemuMachine>> = {
  x86_64: {
    program: "qemu-system-x86_64",
    board: "pc",
    uefiBoard: "q35",
    // Bun needs x86-64-v2, which "max" has. Without ERMS and FSRM: with them the kernel copies and clears memory by `rep movsb` and
    // `rep stosb`, which TCG emulates byte by byte; that was a fifth of all that a guest cost.
    emulatedCpu: "max,-erms,-fsrm",
    // Where the host is busy, the timer's interrupts come too late for the kernel's own test of them at the start, and it panics
    // ("IO-APIC + timer doesn't work", arch/x86/kernel/apic/io_apic.c).
    emulatedWords: "no_timer_check",
    serial: "ttyS0",
  },
  aarch64: {
    program: "qemu-system-aarch64",
    board: "virt",
    uefiBoard: "virt",
    // Without the pointer authentication of "max", which TCG computes at every call and return.
    emulatedCpu: "cortex-a72",
    emulatedWords: "",
    serial: "ttyAMA0",
  },
};

/** The architecture of this machine; x86_64 if levain knows no guests of it. */
export const OWN_ARCHITECTURE: Architecture = process.arch === "arm64" ? "aarch64" : "x86_64";

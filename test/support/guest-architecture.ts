import { type Architecture, MACHINES, type QemuMachine } from "../../src/desk/qemu/machines.ts";
import type { Suite } from "./debian-packages.ts";

/**
 * `make vm GUEST_ARCH=aarch64`: what tests boot is for AArch64, if they ask for no other. What only makes a fixture, as
 * `makeInGuest`, stays x86-64.
 */
export const GUEST_ARCHITECTURE: Architecture = process.env["GUEST_ARCH"] === "aarch64" ? "aarch64" : "x86_64";

interface Target extends QemuMachine {
  /** Where its kernels and programs come from. */
  readonly suite: Suite;
  /** Debian's name of the architecture. */
  readonly debian: string;
  readonly compiler: string;
  /** Of glibc, in the directory of its libraries. */
  readonly loader: string;
  /** Where a guest's memory begins, as the board has it. */
  readonly memoryStart: number;
}

export const TARGETS: Readonly<Record<Architecture, Target>> = {
  x86_64: {
    ...MACHINES.x86_64,
    suite: "own",
    debian: "amd64",
    compiler: "gcc",
    loader: "/lib64/ld-linux-x86-64.so.2",
    memoryStart: 0,
  },
  aarch64: {
    ...MACHINES.aarch64,
    suite: "arm64",
    debian: "arm64",
    compiler: "aarch64-linux-gnu-gcc",
    loader: "/lib/ld-linux-aarch64.so.1",
    memoryStart: 0x4000_0000,
  },
};

/** The one that this process boots. */
export const GUEST: Target = TARGETS[GUEST_ARCHITECTURE];

import { EM } from "../../src/desk/program/elf.ts";

/** A machine that stage0 supports. */
export type Target = (typeof TARGETS)[number];

/** AMD64, baseline. `pageSize` is the largest of a machine's kernels, `loader` the DT_SONAME of glibc's dynamic loader. */
export const X86_64 = {
  name: "x86_64",
  machine: EM.X86_64,
  pageSize: 0x1000,
  loader: "ld-linux-x86-64.so.2",
  compiler: process.arch === "x64" ? "gcc" : "x86_64-linux-gnu-gcc",
  // Without SSE, as stage0 checks the CPU first.
  compilerFlags: ["-mgeneral-regs-only", "-fcf-protection=none"],
};

/** 64-bit Arm. */
export const AARCH64 = {
  name: "aarch64",
  machine: EM.AARCH64,
  pageSize: 0x10000,
  loader: "ld-linux-aarch64.so.1",
  compiler: process.arch === "arm64" ? "gcc" : "aarch64-linux-gnu-gcc",
  compilerFlags: ["-mgeneral-regs-only", "-mno-outline-atomics"],
};

/** Every machine that stage0 supports. */
export const TARGETS = [X86_64, AARCH64] as const;

import type { Machine } from "../machine/machine.ts";
import type { BootError } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";

/** Returns why the kernel stopped unpacking the initramfs (init/initramfs.c continues with the files that it has), from its log; null if it did not. */
export function findUnpackFailure(machine: Machine): BootError | null {
  const log = machine.readKernelLog().map(({ text }) => text);
  const line = log.find((text) => text.includes("Initramfs unpacking failed: "));
  if (line === undefined) return null;
  // Only a full filesystem refuses a write there.
  const code = line.endsWith("write error") ? "initramfs-too-large" : "initramfs-damaged";
  return problem(code, {}, { seen: [`kernel: ${line}`] });
}

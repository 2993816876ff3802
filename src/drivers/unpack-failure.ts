import type { Machine } from "../machine/machine.ts";
import { BootError } from "../problems/errors.ts";

/** Why the kernel gave up unpacking the initramfs (init/initramfs.c goes on with what it has), from its log; null where it did not. */
export function findUnpackFailure(machine: Machine): BootError | null {
  const lines = machine.kernelLogSince(null);
  const line = lines.find((text) => text.includes("Initramfs unpacking failed: "));
  if (line === undefined) return null;
  const seen = [`kernel: ${line}`];
  // Only a full filesystem refuses to be written to there.
  if (line.endsWith("write error")) {
    return new BootError("the initramfs did not fit into memory: the kernel has left out its end", {
      seen,
      hint: "give the machine more memory, or name a root with root= (without one the initramfs may take only half of it)",
    });
  }
  return new BootError(
    "the kernel could not read all of the initramfs: what comes after the damaged place is missing",
    {
      seen,
      hint: "write the initramfs to the boot medium again, and look at it with: levain inspect FILE",
    },
  );
}

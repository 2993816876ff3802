import { byHand, diagnosis, inBootLoader, inBuilder } from "../diagnosis.ts";
import { printable } from "../report.ts";

interface ModuleFile {
  readonly path: string;
}

/** An image without modules for the running kernel. */
export interface ModuleGap {
  /** As in `uname -r`. */
  readonly release: string;
  /** The kernels whose modules it has instead. */
  readonly kernels: readonly string[];
}

/** Returns what an image without modules for the running kernel has instead, as a clause. */
export function describeGap({ release, kernels }: ModuleGap): string {
  const others = kernels.length === 0 ? "" : `; it has those of ${kernels.map(printable).join(", ")}`;
  return `this image contains no modules for ${printable(release)}${others}`;
}

/** Why a driver is missing: a module that cannot be decompressed, an initramfs that is incomplete. */
export const DRIVERS = {
  "module-not-decompressed": diagnosis<ModuleFile>({
    text: ({ path }) => `the module ${path} is damaged: it cannot be decompressed`,
    hints: () => [inBuilder("rebuild the image")],
  }),
  "module-needs-unxz": diagnosis<ModuleFile>({
    text: ({ path }) =>
      `the module ${path} is compressed with xz: the kernel cannot decompress it, and this image has no unxz`,
    hints: () => [inBuilder("add BusyBox to the image"), inBuilder("use modules that are not compressed")],
  }),
  "unxz-failed": diagnosis<ModuleFile & { status: number; output: string }>({
    text: ({ path, status }) => `the module ${path} is damaged: unxz ended with status ${status}`,
    reasons: ({ output }) => [output],
    hints: () => [inBuilder("rebuild the image")],
  }),
  "initramfs-too-large": diagnosis<object>({
    text: () => "the initramfs did not fit into memory: the kernel left out its end",
    hints: () => [
      byHand("give the machine more memory"),
      inBootLoader("name a root with root= (without it, the initramfs may use only half of the memory)"),
    ],
  }),
  "initramfs-damaged": diagnosis<object>({
    text: () => "the kernel could not unpack all of the initramfs: the files after the damaged place are missing",
    hints: () => [
      byHand("write the initramfs to the boot medium again"),
      inBuilder("check it with levain inspect FILE"),
    ],
  }),
};

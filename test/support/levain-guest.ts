import { type LevainImageOptions, levainImage, memoryToBoot } from "./levain-image.ts";
import type { Disk } from "./qemu-arguments.ts";
import type { VmTestOptions } from "./vm-test.ts";

/** The rescue shell's prompt; the kernel may speak right behind it. */
export const PROMPT = /levain:\S* (?:$|(?=\[ *\d+\.))/m;

/** What a guest with levain as its init is made of; whatever `VmTestOptions` has besides goes there. */
export interface LevainGuest extends Omit<VmTestOptions, "kernel" | "initrd" | "disks"> {
  /** Files stand for virtio disks. */
  readonly disks?: readonly (string | Disk)[];
  readonly image?: LevainImageOptions;
}

/**
 * `make vm MEMORY=least`: guests with Debian's cloud kernel that ask for no amount have what `levain image` says that their image needs;
 * `MEMORY=256`: so many MiB.
 */
const MEMORY = process.env["MEMORY"] ?? "";

/** The options for `vmTest` of a guest that boots an image of `levain image` on the kernel that the image is for. */
export async function levainGuest({ disks = [], image = {}, ...rest }: LevainGuest): Promise<VmTestOptions> {
  const { kernel = "cloud" } = image;
  const initrd = await levainImage(image);
  const memoryMib = MEMORY === "least" ? memoryToBoot(initrd, rest.cmdline ?? "") : Number(MEMORY);
  return {
    kernel: kernel === "none" ? "cloud" : kernel,
    initrd,
    disks: disks.map((disk) => (typeof disk === "string" ? { file: disk } : disk)),
    ...(MEMORY !== "" && kernel === "cloud" && { memoryMib }),
    ...rest,
  };
}

import { type LevainImageOptions, levainImage } from "./levain-image.ts";
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

/** `make vm MEMORY=184`: MiB for the guests with Debian's cloud kernel that ask for none, to see which tests need more than a boot does. */
const MEMORY_MIB = Number(process.env["MEMORY"] ?? "") || null;

/** The options for `vmTest` of a guest that boots an image of `levain image` on the kernel that the image is for. */
export async function levainGuest({ disks = [], image = {}, ...rest }: LevainGuest): Promise<VmTestOptions> {
  const { kernel = "cloud" } = image;
  return {
    kernel: kernel === "none" ? "cloud" : kernel,
    initrd: await levainImage(image),
    disks: disks.map((disk) => (typeof disk === "string" ? { file: disk } : disk)),
    ...(MEMORY_MIB !== null && kernel === "cloud" && { memoryMib: MEMORY_MIB }),
    ...rest,
  };
}

import { holds } from "../../formats/bytes.ts";

/** A boot configuration at the end of an image: the kernel cuts it off before it reads the archives. */
export interface BootConfig {
  /** Where it begins in the file: the end of the initramfs. */
  readonly offset: number;
  /** Bytes of its text, with the padding that its tool adds. */
  readonly size: number;
}

/** The last bytes (Documentation/admin-guide/bootconfig.rst), after the size and the checksum of the text, 32 bits each. */
const MAGIC = "#BOOTCONFIG\n";
const NUMBERS_BYTES = 8;
/** A boot loader may have padded the file to a multiple of 4 (get_boot_config_from_initrd of init/main.c). */
const MOST_PADDING = 3;

/** Finds the boot configuration of an image as the kernel does; null if there is none. */
export function findBootConfig(bytes: Uint8Array): BootConfig | null {
  for (let padding = 0; padding <= MOST_PADDING; padding += 1) {
    const numbers = bytes.length - padding - MAGIC.length - NUMBERS_BYTES;
    if (numbers < 0 || !holds(bytes, numbers + NUMBERS_BYTES, MAGIC)) continue;
    const size = new DataView(bytes.buffer, bytes.byteOffset + numbers, 4).getUint32(0, true);
    return size <= numbers ? { offset: numbers - size, size } : null;
  }
  return null;
}

import { BootError } from "../../../problems/errors.ts";
import { formatBytes } from "../../../problems/size.ts";

const MIB = 1 << 20;
// Measured: levain's own image unpacks to 2.4 times its size, that of initramfs-tools (zstd) to 3.8 times.
const USUAL_RATIO = 64;
// Below this a ratio says nothing: a few directories compress to nearly nothing.
const LEAST_LIMIT = 64 * MIB;
// The kernel itself would need as much memory for them; the largest images of distributions have a fourth of it.
const MOST_LIMIT = 2048 * MIB;
/** One Uint8Array of Bun's holds no more. */
export const ARRAY_MAX = 0xffff_ffff;
/** What a member costs beside its content: this program keeps about so much for each, and the kernel an inode and a dentry. */
export const MEMBER_BYTES = 1024;

/** What would take more memory than it may: nothing that follows can be known. */
export class TooLargeError extends BootError {
  override readonly name = "TooLargeError";
}

/** The refusal of a whole image that unpacks to more than `limit` bytes. */
export function imageTooLarge(file: string, limit: number, cause: TooLargeError | null): TooLargeError {
  return new TooLargeError(`${file} takes more than ${formatBytes(limit)} when it is unpacked`, {
    cause,
    hint: "a real image takes less; if this one is yours, allow more with --max-size SIZE, as 512M or 4G",
  });
}

/** How many bytes an image file of `imageBytes` may unpack to if --max-size does not say. */
export function usualLimit(imageBytes: number): number {
  return Math.min(MOST_LIMIT, Math.max(LEAST_LIMIT, imageBytes * USUAL_RATIO));
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: MIB, G: 1024 * MIB };

/** Reads the SIZE of --max-size: bytes, or a number with K, M or G (powers of 1024). Throws BootError. */
export function parseSizeLimit(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (number !== "" && bytes > 0) return Math.min(bytes, ARRAY_MAX);
  throw new BootError(`Expected a size for --max-size but received "${text}"`, {
    hint: "give bytes, or a number with K, M or G, as in --max-size 512M",
  });
}

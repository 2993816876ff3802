import { BootError } from "../../../problems/errors.ts";
import { formatBytes } from "../../../problems/size.ts";
import { type CommandWords, option } from "../../command-line.ts";

const MIB = 1 << 20;
// Measured: levain's own image with the plain runtime unpacks to 2.4 times its size, that of initramfs-tools (zstd) to 3.8 times.
const USUAL_RATIO = 64;
// Below this a ratio means nothing: a few directories compress to nearly nothing.
const LEAST_LIMIT = 64 * MIB;
// The kernel itself would need as much memory; the largest images of distributions need a quarter of it.
const MOST_LIMIT = 2048 * MIB;
/** The most that one Uint8Array of Bun's holds. */
export const ARRAY_MAX = 0xffff_ffff;
/** The cost of a member besides its content: about what this program keeps, and the kernel's inode and dentry. */
export const MEMBER_BYTES = 1024;

/** The --max-size option of the commands that unpack another tool's image. */
export const MAX_SIZE_OPTION = {
  "max-size": option(
    "SIZE",
    "Refuse an image that unpacks to more, such as 512M (default: 64 times its size, from 64M to 2G)",
  ),
} as const;

/** Thrown if unpacking would take more memory than allowed: nothing after it can be known. */
export class TooLargeError extends BootError {
  override readonly name = "TooLargeError";
}

/** Returns the error for an image that unpacks to more than `limit` bytes. */
export function imageTooLarge(file: string, limit: number, cause: TooLargeError | null): TooLargeError {
  return new TooLargeError(`${file} unpacks to more than ${formatBytes(limit)}`, {
    cause,
    hint: "real images are smaller; if you trust this one, allow more with --max-size SIZE, such as 512M or 4G",
  });
}

/** Returns how many bytes an image file of `imageBytes` may unpack to without --max-size. */
export function usualLimit(imageBytes: number): number {
  return Math.min(MOST_LIMIT, Math.max(LEAST_LIMIT, imageBytes * USUAL_RATIO));
}

/** Returns the bytes of --max-size, null without it. Throws BootError. */
export function readMaxSize(line: CommandWords): number | null {
  const given = line.one("max-size");
  return given === null ? null : parseSizeLimit(given);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: MIB, G: 1024 * MIB };

/** Parses bytes, or a number with K, M or G (powers of 1024). Throws BootError. */
export function parseSizeLimit(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (number !== "" && bytes > 0) return Math.min(bytes, ARRAY_MAX);
  throw new BootError(`expected a size for --max-size but received "${text}"`, {
    hint: "give bytes, or a number with K, M or G, as in --max-size 512M",
  });
}

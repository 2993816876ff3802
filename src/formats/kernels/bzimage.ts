import { decodeLatin1, holds, le16 } from "../bytes.ts";

/** More than any release name, and its end: the kernel's own limit is 64 characters (linux/utsname.h). */
const RELEASE_MAX = 65;

/** How much of a kernel file has to be read for `readBzImageRelease`: kernel_version points into the first 32 KiB, its setup code. */
export const SETUP_BYTES = 0x8000 + 0x200;

/**
 * Returns the release of an x86 kernel, as `uname -r` prints it, from the beginning of its file (Documentation/arch/x86/boot.rst:
 * kernel_version); null for anything else.
 */
export function readBzImageRelease(bytes: Uint8Array): string | null {
  if (bytes.length < 0x210 || !holds(bytes, 0x202, "HdrS")) return null;
  const offset = le16(bytes, 0x20e);
  if (offset === 0) return null;
  const text = decodeLatin1(bytes.subarray(offset + 0x200, offset + 0x200 + RELEASE_MAX));
  return /^[\w.+~-]+(?=[ \0])/.exec(text)?.[0] ?? null;
}

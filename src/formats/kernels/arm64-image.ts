import { decodeLatin1, holds, le32 } from "../bytes.ts";

/** What the header of an unpacked AArch64 kernel says (Documentation/arch/arm64/booting.rst). */
export interface Arm64Image {
  /** null: not said, as by kernels before Linux 4.6. */
  readonly pageBytes: number | null;
}

/** The compressed kernel in an EFI program that unpacks itself (drivers/firmware/efi/libstub/zboot-header.S). */
export interface Zboot {
  readonly start: number;
  readonly end: number;
}

/** How much of a kernel file these headers take. */
export const ARM64_HEADER_BYTES = 64;

/** By bits 1 and 2 of the flags. */
const PAGE_BYTES = [null, 4096, 16_384, 65_536] as const;

/** More than any release name: the kernel's own limit is 64 characters (linux/utsname.h). */
const RELEASE_MAX = 65;
const BANNER = "Linux version ";

/** Reads the header of an Image; null for anything else. */
export function readArm64Image(bytes: Uint8Array): Arm64Image | null {
  if (!holds(bytes, 56, "ARMd")) return null;
  return { pageBytes: PAGE_BYTES[(le32(bytes, 24) >> 1) & 3] ?? null };
}

/** Finds the kernel in an EFI zboot image; null for anything else, and if it is cut off. */
export function readZboot(bytes: Uint8Array, size = bytes.length): Zboot | null {
  if (!holds(bytes, 0, "MZ") || !holds(bytes, 4, "zimg")) return null;
  const start = le32(bytes, 8);
  const end = start + le32(bytes, 12);
  return start < ARM64_HEADER_BYTES || end > size ? null : { start, end };
}

/** Returns the release of an unpacked kernel, as `uname -r` prints it, from the text that it logs first (init/version.c); null if it has none. */
export function readBannerRelease(image: Uint8Array): string | null {
  const buffer = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  for (let at = buffer.indexOf(BANNER); at !== -1; at = buffer.indexOf(BANNER, at + 1)) {
    const start = at + BANNER.length;
    const release = /^\d+\.[\w.+~-]+(?= \()/.exec(decodeLatin1(buffer.subarray(start, start + RELEASE_MAX + 1)));
    if (release !== null) return release[0];
  }
  return null;
}

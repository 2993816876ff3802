import { holds, le16, le32 } from "../../formats/bytes.ts";
import { readArm64Image, readBannerRelease, readZboot } from "../../formats/kernels/arm64-image.ts";
import { readBzImageRelease } from "../../formats/kernels/bzimage.ts";
import { BootError } from "../../problems/errors.ts";
import { findCompression } from "../inspect/streams/compressions.ts";
import type { Architecture } from "../qemu/machines.ts";

/** What the file of a kernel says of it. */
export interface KernelFacts {
  readonly architecture: Architecture;
  /** As `uname -r` prints it; null if the file does not say. */
  readonly release: string | null;
  /** null if the file does not say. */
  readonly pageBytes: number | null;
}

/** Four times the largest kernel of a distribution, unpacked. */
const KERNEL_MAX_BYTES = 256 << 20;

/** Reads a bzImage, or an AArch64 kernel: Image, Image compressed as a whole, EFI zboot. null for anything else. */
export function readKernelFacts(bytes: Uint8Array): KernelFacts | null {
  if (isBzImage(bytes)) return { architecture: "x86_64", release: readBzImageRelease(bytes), pageBytes: 4096 };
  const image = readArm64Image(bytes) === null ? unpackKernel(bytes) : bytes;
  const header = readArm64Image(image);
  return header && { architecture: "aarch64", release: readBannerRelease(image), pageBytes: header.pageBytes };
}

/** By the machine of a PE file. */
const PE_MACHINES: ReadonlyMap<number, Architecture> = new Map([
  [0x8664, "x86_64"],
  [0xaa64, "aarch64"],
]);

/** Returns the architecture by the beginning of a kernel or of another program for EFI; null if that does not say. */
export function architectureOf(head: Uint8Array): Architecture | null {
  if (isBzImage(head)) return "x86_64";
  if (readArm64Image(head) !== null) return "aarch64";
  const headersAt = le32(head, 0x3c);
  return holds(head, 0, "MZ") && holds(head, headersAt, "PE\0\0")
    ? (PE_MACHINES.get(le16(head, headersAt + 4)) ?? null)
    : null;
}

/** Unpacks a bzImage, an EFI zboot image, or a kernel that is compressed as a whole; empty for anything else. */
export function unpackKernel(bytes: Uint8Array): Uint8Array {
  const start = payloadOffset(bytes);
  try {
    return findCompression(bytes, start)?.unpack(bytes, start, KERNEL_MAX_BYTES).unpacked ?? new Uint8Array();
  } catch (error) {
    if (error instanceof BootError) return new Uint8Array();
    throw error;
  }
}

/** True for an x86 kernel (Documentation/arch/x86/boot.rst). */
export const isBzImage = (bytes: Uint8Array) => holds(bytes, 0x202, "HdrS");

/** True for the file of a kernel that is an EFI program as well. */
export const isKernelFile = (bytes: Uint8Array) =>
  isBzImage(bytes) || readArm64Image(bytes) !== null || readZboot(bytes) !== null;

/** Returns where the compressed kernel begins: Documentation/arch/x86/boot.rst, setup_sects and payload_offset. */
function payloadOffset(bytes: Uint8Array): number {
  if (!isBzImage(bytes) || bytes.length < 0x250) return readZboot(bytes)?.start ?? 0;
  const setupSectors = bytes[0x1f1] || 4;
  const offset = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0x248, true);
  return (setupSectors + 1) * 512 + offset;
}

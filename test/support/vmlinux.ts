import { findCompression } from "../../src/desk/inspect/streams/compressions.ts";

// Offsets in a bzImage, "The real-mode kernel header" of Documentation/arch/x86/boot.rst.
const SETUP_SECTORS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR_BYTES = 512;
const MOST_BYTES = 256 << 20;

/**
 * Returns the ELF kernel that a bzImage unpacks when it starts. QEMU enters it at its PVH entry point
 * (XEN_ELFNOTE_PHYS32_ENTRY), which saves an emulated guest the second that unpacking costs.
 */
export function unpackKernel(image: Uint8Array): Uint8Array {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const start = (view.getUint8(SETUP_SECTORS) + 1) * SECTOR_BYTES + view.getUint32(PAYLOAD_OFFSET, true);
  // The last four bytes are the unpacked size, which is no part of the stream.
  const payload = image.subarray(start, start + view.getUint32(PAYLOAD_LENGTH, true) - 4);
  const compression = findCompression(payload, 0);
  if (compression === null) throw new Error("the kernel is compressed in a way that levain does not know");
  return compression.unpack(payload, 0, MOST_BYTES).unpacked;
}

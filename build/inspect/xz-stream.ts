import { damaged, type UnpackedStream } from "./stream.ts";
import { runTool } from "./unpack-tool.ts";

// xz-file-format.txt: 2.1.1 Stream Header, 2.1.2 Stream Footer, 4 Index; all sizes are multiples of four.
const HEADER_BYTES = 12;
const FOOTER_BYTES = 12;
const FOOTER_MAGIC = [0x59, 0x5a] as const;
const CHECK_NONE = 0;
const CHECK_CRC32 = 1;

/** Unpacks the xz stream that begins at `start` with the host's xz. Throws BootError where it is damaged or gives more than `limit` bytes. */
export function unpackXz(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const end = findEnd(bytes, start);
  if (end === null) throw damaged("xz", start, "it is cut off");
  const check = (bytes[start + 7] ?? 0) & 0xf;
  const problem =
    check === CHECK_NONE || check === CHECK_CRC32
      ? null
      : "the kernel knows only CRC32 as the check of xz data: compress with xz --check=crc32";
  return { unpacked: runTool("xz", bytes.subarray(start, end), { start, limit }), end, problem };
}

/** The first footer with a right checksum and a right index before it: nothing else tells the length of a stream that was written in one go. */
function findEnd(bytes: Uint8Array, start: number): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let end = start + HEADER_BYTES + FOOTER_BYTES; end <= bytes.length; end += 4) {
    if (bytes[end - 1] !== FOOTER_MAGIC[1] || bytes[end - 2] !== FOOTER_MAGIC[0]) continue;
    const footer = end - FOOTER_BYTES;
    if (view.getUint32(footer, true) !== Bun.hash.crc32(bytes.subarray(footer + 4, footer + 10))) continue;
    const indexSize = (view.getUint32(footer + 4, true) + 1) * 4;
    const index = footer - indexSize;
    if (index < start + HEADER_BYTES || bytes[index] !== 0) continue;
    if (view.getUint32(footer - 4, true) === Bun.hash.crc32(bytes.subarray(index, footer - 4))) return end;
  }
  return null;
}

// xz-file-format.txt: 2.1.1 Stream Header, 2.1.2 Stream Footer, 3 Block, 4 Index; all but LZMA2's data is a multiple of 4.
const HEADER_BYTES = 12;
const FOOTER_BYTES = 12;
const CRC_BYTES = 4;
const FOOTER_MAGIC = [0x59, 0x5a] as const;
/** 2.1.1.2: none and CRC32. */
const CHECKS_OF_KERNEL = [0, 1];
/** 2.1.1.2: by the type of check. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;

/** Returns why a kernel would not read the xz stream at `start`, or null. */
export function xzProblem(bytes: Uint8Array, start: number): string | null {
  if (CHECKS_OF_KERNEL.includes(checkOf(bytes, start))) return null;
  return "the kernel supports only CRC32 checks in xz data: compress with xz --check=crc32";
}

function checkOf(bytes: Uint8Array, start: number): number {
  return (bytes[start + 7] ?? 0) & 0xf;
}

/**
 * Measures the xz stream at `start`; null if it is truncated or malformed. Walks over blocks and chunks, as a stream that was
 * written in one go has its length nowhere else, and a footer that is searched for could be forged in the data.
 */
export function measureXz(bytes: Uint8Array, start: number) {
  const checkBytes = CHECK_BYTES[checkOf(bytes, start)] ?? 0;
  let at = start + HEADER_BYTES;
  let unpackedSize = 0;
  for (let header = bytes[at]; header !== 0; header = bytes[at]) {
    if (header === undefined) return null;
    const chunks = measureChunks(bytes, at + (header + 1) * 4);
    if (chunks === null) return null;
    at = roundUp(chunks.end, start) + checkBytes;
    unpackedSize += chunks.unpackedSize;
  }
  const index = skipIndex(bytes, at);
  const end = index === null ? bytes.length + 1 : roundUp(index, start) + CRC_BYTES + FOOTER_BYTES;
  const hasFooter = bytes[end - 2] === FOOTER_MAGIC[0] && bytes[end - 1] === FOOTER_MAGIC[1];
  return hasFooter ? { end, unpackedSize } : null;
}

function roundUp(at: number, start: number): number {
  return start + Math.ceil((at - start) / 4) * 4;
}

/** Measures LZMA2, the last filter of every block, as lzma2_decoder.c of XZ Utils reads its chunks. */
function measureChunks(bytes: Uint8Array, start: number) {
  const pair = (at: number) => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0) + 1;
  let at = start;
  let unpackedSize = 0;
  for (let control = bytes[at]; control !== 0; control = bytes[at]) {
    if (control === undefined || (control > 2 && control < 0x80)) return null;
    if (control < 0x80) {
      unpackedSize += pair(at + 1);
      at += 3 + pair(at + 1);
    } else {
      unpackedSize += (control & 0x1f) * 65536 + pair(at + 1);
      // New properties take a byte.
      at += (control >= 0xc0 ? 6 : 5) + pair(at + 3);
    }
  }
  return { end: at + 1, unpackedSize };
}

/** Skips the index's records: its indicator, their number, and two numbers each, seven bits per byte. */
function skipIndex(bytes: Uint8Array, start: number): number | null {
  let at = start + 1;
  const readNumber = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  for (let numbers = readNumber() * 2; numbers > 0; numbers -= 1) {
    if (at >= bytes.length) return null;
    readNumber();
  }
  return at;
}

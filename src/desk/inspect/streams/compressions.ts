import { unpackGzip } from "./gzip.ts";
import { unpackLz4Legacy } from "./lz4.ts";
import type { UnpackedStream } from "./stream.ts";
import { runTool, type UnpackTool } from "./unpack-tool.ts";
import { unpackXz } from "./xz.ts";
import { unpackZstd } from "./zstd.ts";

/** One way in which a segment of an image may be compressed. */
export interface Compression {
  readonly name: string;
  /** The first bytes. */
  readonly magic: readonly number[];
  /** Throws BootError; never gives more than `limit` bytes. */
  readonly unpack: (bytes: Uint8Array, start: number, limit: number) => UnpackedStream;
}

/** By magic, as lib/decompress.c tells them apart, and lz4's own frame, which the kernel does not read. */
export const COMPRESSIONS: readonly Compression[] = [
  { name: "gzip", magic: [0x1f, 0x8b], unpack: unpackGzip },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unpackZstd },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: unpackXz },
  { name: "lz4", magic: [0x02, 0x21, 0x4c, 0x18], unpack: unpackLz4Legacy },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68], unpack: toTheEnd("bzip2", null) },
  { name: "lzma", magic: [0x5d, 0x00, 0x00], unpack: toTheEnd("lzma", null) },
  { name: "lzo", magic: [0x89, 0x4c, 0x5a, 0x4f], unpack: toTheEnd("lzo", null) },
  {
    name: "lz4 frame",
    magic: [0x04, 0x22, 0x4d, 0x18],
    unpack: toTheEnd("lz4", "the kernel reads lz4's legacy format only: compress with lz4 -l"),
  },
];

/** The compression whose magic is at `start`; null where it is none. */
export function findCompression(bytes: Uint8Array, start: number): Compression | null {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, index) => bytes[start + index] === byte)) ?? null;
}

/** For those whose end only their own tool knows: all that follows is taken for theirs. */
function toTheEnd(tool: UnpackTool, problem: string | null): Compression["unpack"] {
  return (bytes, start, limit) => ({
    unpacked: runTool(tool, bytes.subarray(start), { start, limit }),
    end: bytes.length,
    problem,
  });
}

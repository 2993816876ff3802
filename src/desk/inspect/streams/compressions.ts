import { runTool, type Tool, XZ_MEMORY_LIMIT } from "../../tool.ts";
import { unpackGzip } from "./gzip.ts";
import { unpackLz4Legacy } from "./lz4.ts";
import { damaged, tooLarge, type UnpackedStream } from "./stream.ts";
import { measureXz, xzProblem } from "./xz.ts";
import { unpackZstd } from "./zstd.ts";

/** One way to compress a segment of an image. */
export interface Compression {
  readonly name: string;
  readonly magic: readonly number[];
  /** Unpacks the stream at `start`. Throws BootError, also if it unpacks to more than `limit` bytes. */
  readonly unpack: (bytes: Uint8Array, start: number, limit: number) => UnpackedStream;
}

/** By the magic numbers of lib/decompress.c, and lz4's own frame, which the kernel does not read. */
export const COMPRESSIONS: readonly Compression[] = [
  { name: "gzip", magic: [0x1f, 0x8b], unpack: unpackGzip },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unpackZstd },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: unpackXz },
  { name: "lz4", magic: [0x02, 0x21, 0x4c, 0x18], unpack: unpackLz4Legacy },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68], unpack: toTheEnd("bzip2", ["bzip2"]) },
  { name: "lzma", magic: [0x5d, 0x00, 0x00], unpack: toTheEnd("lzma", ["xz", "--format=lzma", XZ_MEMORY_LIMIT]) },
  { name: "lzo", magic: [0x89, 0x4c, 0x5a, 0x4f], unpack: toTheEnd("lzo", ["lzop"]) },
  {
    name: "lz4 frame",
    magic: [0x04, 0x22, 0x4d, 0x18],
    unpack: toTheEnd("lz4", ["lz4"], "the kernel reads only lz4's legacy format: compress with lz4 -l"),
  },
];

/** Returns the compression whose magic is at `start`, or null. */
export function findCompression(bytes: Uint8Array, start: number): Compression | null {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, index) => bytes[start + index] === byte)) ?? null;
}

/** A program that unpacks what neither Bun nor Node does, and its options. */
type ToolWords = readonly [Tool, ...string[]];

/** Only their own tools know where these end, so the rest of the file counts as theirs. */
function toTheEnd(method: string, words: ToolWords, problem: string | null = null): Compression["unpack"] {
  return (bytes, start, limit) => ({
    unpacked: unpackByTool(method, words, bytes.subarray(start), start, limit),
    end: bytes.length,
    problem,
  });
}

function unpackXz(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const stream = measureXz(bytes, start);
  if (stream === null) throw damaged("xz", start, "it is truncated, or not a stream that the kernel reads");
  const { end, unpackedSize } = stream;
  if (unpackedSize > limit) throw tooLarge("xz", start, limit);
  const problem = xzProblem(bytes, start);
  if (unpackedSize === 0) return { unpacked: new Uint8Array(), end, problem };
  const words = ["xz", "--format=xz", XZ_MEMORY_LIMIT] as const;
  return { unpacked: unpackByTool("xz", words, bytes.subarray(start, end), start, limit), end, problem };
}

/** Ignores the exit status: a tool complains about bytes after the end of its stream, and the archive marks its own end. */
function unpackByTool(method: string, [tool, ...options]: ToolWords, data: Uint8Array, start: number, limit: number) {
  const purpose = `unpack the ${method} data at byte ${start}`;
  const { stdout, complaint } = runTool(tool, purpose, ["-dc", ...options], data, limit);
  if (stdout.length > limit) throw tooLarge(method, start, limit);
  if (stdout.length === 0) throw damaged(method, start, complaint[0] || "it is empty");
  return stdout;
}

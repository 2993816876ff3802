import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { constants, createGzip, createZstdCompress, zstdCompress } from "node:zlib";
import { BootError } from "../../problems/errors.ts";
import { findTool } from "../tool.ts";

/** A method of --compress. */
export type CompressionMethod = keyof typeof LEVELS;

/** How an image is compressed; `level` as the method's own tool counts it. */
export type Compression = Readonly<{ method: CompressionMethod; level: number }>;

// The lowest and highest level of the tools, and the default, where more effort no longer pays for an initramfs.
const LEVELS = { zstd: [1, 22, 9], lz4: [1, 12, 9], gzip: [1, 9, 6], xz: [0, 9, 6], none: [0, 0, 0] } as const;
const METHODS = Object.keys(LEVELS) as CompressionMethod[];

/** No compression. */
export const STORED: Compression = { method: "none", level: 0 };

/** Parses "METHOD" or "METHOD:LEVEL". Throws BootError. */
export function parseCompression(text: string): Compression {
  const [name = "", levelText, ...rest] = text.split(":");
  const method = METHODS.find((known) => known === name);
  if (!method || rest.length > 0) {
    throw new BootError(`expected ${METHODS.join(", ")} as compression but received "${text}"`, {
      hint: "a level may follow, as in --compress zstd:19",
    });
  }
  const [lowest, highest, usual] = LEVELS[method];
  if (levelText === undefined) return { method, level: usual };
  const level = /^\d{1,2}$/.test(levelText) ? Number(levelText) : Number.NaN;
  if (!(level >= lowest && level <= highest)) {
    const range = method === "none" ? "no level" : `a level from ${lowest} to ${highest}`;
    throw new BootError(`expected ${range} for ${method} but received "${levelText}"`);
  }
  return { method, level };
}

const zstd = promisify(zstdCompress);

/** Compresses `chunks` for the kernel (lib/decompress*.c); the same input gives the same bytes. */
export function compress(
  chunks: Iterable<Uint8Array>,
  { method, level }: Compression,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  switch (method) {
    case "none":
      return chunks;
    case "zstd":
      return through(chunks, createZstdCompress({ params: zstdParameters(level) }));
    case "gzip":
      return through(chunks, createGzip({ level }));
    case "lz4":
      // The kernel reads only the legacy frame.
      return throughTool(chunks, "lz4", ["-l", `-${level}`, "-c", "-q"]);
    case "xz":
      // lib/xz supports only CRC32, while xz defaults to CRC64. One thread, as the output depends on the number of threads.
      return throughTool(chunks, "xz", ["--check=crc32", `-${level}`, "--threads=1", "-c", "-q"]);
  }
}

/** Compresses all of `chunks` with zstd in another thread, from now on; an error of the thread is thrown to the reader. */
export function compressAhead(chunks: Iterable<Uint8Array>, { level }: Compression): AsyncIterable<Uint8Array> {
  const whole = zstd(Buffer.concat([...chunks]), { params: zstdParameters(level) });
  // If the image fails before it is read, its error is the one to report.
  whole.catch(() => undefined);
  return (async function* () {
    yield await whole;
  })();
}

/**
 * While the kernel unpacks an image, it needs memory for the window, on top of the image and what it has unpacked. That is the most
 * that a boot needs, so the window is 1 MiB instead of 4 or more, which makes an image larger by 0.1 %.
 */
const WINDOW_LOG = 20;
/** From this level on, size is all that counts. */
const SMALLEST_LEVEL = 19;

function zstdParameters(level: number) {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return level < SMALLEST_LEVEL ? { ...params, [constants.ZSTD_c_windowLog]: WINDOW_LOG } : params;
}

function through(chunks: Iterable<Uint8Array>, transform: NodeJS.ReadWriteStream & AsyncIterable<Uint8Array>) {
  // On an error in `chunks` the pipeline destroys the transform, whose reader then gets the error.
  pipeline(Readable.from(chunks), transform).catch(() => undefined);
  return transform;
}

async function* throughTool(chunks: Iterable<Uint8Array>, tool: "lz4" | "xz", args: readonly string[]) {
  const path = findTool(tool, "compress the image", ", or choose --compress zstd");
  const child = spawn(path, args, { stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-500);
  });
  const ended = new Promise<string | null>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (status, signal) =>
      resolve(status === 0 ? null : `it ended with ${signal ?? `status ${status}`}`),
    );
  });
  const fed = pipeline(Readable.from(chunks), child.stdin).catch((error: unknown) => {
    child.kill();
    return error;
  });
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const [inputError, failure] = await Promise.all([fed, ended]);
    if (inputError instanceof BootError) throw inputError;
    if (failure !== null) {
      const seen = complaint === "" ? [] : [complaint.trim()];
      throw new BootError(`cannot compress the image: ${tool} failed: ${failure}`, { seen });
    }
    if (inputError) throw inputError;
  } finally {
    child.kill();
  }
}

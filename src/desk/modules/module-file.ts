import { readFileSync, statSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { BootError } from "../../problems/errors.ts";
import { attempt, fillFromFile } from "../host.ts";
import { isOverLimit } from "../inspect/streams/stream.ts";
import { measureXz } from "../inspect/streams/xz.ts";
import { isElf } from "../program/elf.ts";
import { runTool, XZ_MEMORY_LIMIT } from "../tool.ts";

/** Four times the largest module of a distribution, including its debugging data. */
const UNPACKED_MAX = 256 << 20;
const REINSTALL = "reinstall the kernel package";

/** Returns a module's path without the suffix of its compression: "kernel/fs/ext4/ext4.ko.zst" → "kernel/fs/ext4/ext4.ko". */
export function plainPath(path: string): string {
  return path.replace(/\.(?:xz|zst|gz)$/, "");
}

/** Reads a module and decompresses it. Throws BootError if it is missing, damaged or too large, or xz is missing. */
export function readModuleFile(path: string, limit = UNPACKED_MAX, read = createFileReader()): Uint8Array<ArrayBuffer> {
  const bytes = unpack(path, read(path), limit);
  // A crash leaves empty files: they would become a driver that no kernel loads.
  if (isElf(bytes)) return bytes;
  throw new BootError(`the module ${path} is damaged: it is not an ELF file`, { hint: REINSTALL });
}

/** Creates a function that reads a file into memory that it uses again: the bytes are valid until the next one. */
function createFileReader() {
  let room = new Uint8Array();
  return (path: string): Uint8Array<ArrayBuffer> => {
    const what = `cannot read the module ${path}`;
    const { size } = attempt(what, () => statSync(path), "run depmod: modules.dep lists a file that does not exist");
    if (size > room.length) room = new Uint8Array(size);
    return room.subarray(0, fillFromFile(room.subarray(0, size), path, what));
  };
}

function unpack(path: string, bytes: Uint8Array<ArrayBuffer>, limit: number): Uint8Array<ArrayBuffer> {
  try {
    // Bun's own function would allocate as much as the header of the data claims.
    if (path.endsWith(".zst")) return zstdDecompressSync(bytes, { maxOutputLength: limit });
    if (path.endsWith(".gz")) return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (cause) {
    if (isOverLimit(cause)) throw tooLarge(path, limit);
    throw new BootError(`the module ${path} is damaged: it cannot be decompressed`, { cause, hint: REINSTALL });
  }
  return path.endsWith(".xz") ? readXz(path, bytes, limit) : bytes;
}

/** How many files one run of xz decompresses: starting the program takes longer than its work. */
const XZ_BATCH = 64;

/**
 * Creates a `readModuleFile` for these paths, in their order: files compressed with xz are decompressed together, and plain
 * ones are read into the same memory. The bytes are valid until the next one.
 */
export function createModuleReader(paths: readonly string[]): (path: string) => Uint8Array<ArrayBuffer> {
  const waiting = paths.filter((path) => path.endsWith(".xz"));
  const unpacked = new Map<string, Uint8Array<ArrayBuffer>>();
  const readFile = createFileReader();
  return (path) => {
    if (waiting.includes(path)) {
      const batch = waiting.splice(0, Math.max(XZ_BATCH, waiting.indexOf(path) + 1));
      for (const [name, bytes] of readXzFiles(batch)) unpacked.set(name, bytes);
    }
    const bytes = unpacked.get(path);
    unpacked.delete(path);
    return bytes !== undefined && isElf(bytes) ? bytes : readModuleFile(path, UNPACKED_MAX, readFile);
  };
}

/** Decompresses files with one run of xz; empty if anything about them is wrong, which reading each of them reports. */
function readXzFiles(paths: readonly string[]): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const streams = paths.flatMap((path) => {
    const bytes = readOrEmpty(path);
    const { end, unpackedSize } = measureXz(bytes, 0) ?? { end: -1, unpackedSize: 0 };
    return end === bytes.length ? [{ path, bytes, unpackedSize }] : [];
  });
  const total = streams.reduce((sum, { unpackedSize }) => sum + unpackedSize, 0);
  if (streams.length === 0 || total > UNPACKED_MAX) return new Map();
  const data = Buffer.concat(streams.map(({ bytes }) => bytes));
  const { status, stdout } = runTool("xz", "decompress modules", ["-dc", XZ_MEMORY_LIMIT], data, total);
  if (status !== 0 || stdout.length !== total) return new Map();
  let at = 0;
  return new Map(
    streams.map(({ path, unpackedSize }) => {
      at += unpackedSize;
      return [path, stdout.subarray(at - unpackedSize, at)];
    }),
  );
}

function readOrEmpty(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array(); // reported when it is read on its own
  }
}

/** Neither Bun nor Node reads xz. */
function readXz(path: string, bytes: Uint8Array, limit: number): Uint8Array<ArrayBuffer> {
  const args = ["-dc", XZ_MEMORY_LIMIT];
  const { status, stdout, complaint } = runTool("xz", `decompress ${path}`, args, bytes, limit);
  if (stdout.length > limit) throw tooLarge(path, limit);
  if (status === 0) return stdout;
  throw new BootError(`the module ${path} is damaged`, { seen: complaint, hint: REINSTALL });
}

function tooLarge(path: string, limit: number): BootError {
  return new BootError(`the module ${path} unpacks to more than ${limit} bytes, which no module does`, {
    hint: REINSTALL,
  });
}

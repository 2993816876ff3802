import { readFileSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../host.ts";
import { isOverLimit } from "../inspect/streams/stream.ts";
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
export function readModuleFile(path: string, limit = UNPACKED_MAX): Uint8Array {
  const bytes = readPlain(path, limit);
  // A crash leaves empty files: they would become a driver that no kernel loads.
  if (isElf(bytes)) return bytes;
  throw new BootError(`the module ${path} is damaged: it is not an ELF file`, { hint: REINSTALL });
}

function readPlain(path: string, limit: number): Uint8Array {
  const bytes = attempt(
    `cannot read the module ${path}`,
    () => readFileSync(path),
    "run depmod: modules.dep lists a file that does not exist",
  );
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

/** Neither Bun nor Node reads xz. */
function readXz(path: string, bytes: Uint8Array, limit: number): Uint8Array {
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

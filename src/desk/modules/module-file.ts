import { readFileSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../attempt.ts";
import { isOverLimit } from "../inspect/streams/stream.ts";
import { XZ_MEMORY_LIMIT } from "../inspect/streams/unpack-tool.ts";

/** Four times the largest module of a distribution, debugging data included. */
const UNPACKED_MAX = 256 << 20;

/** The ending that a compressed module's file has after ".ko". */
const ENDINGS = [".xz", ".zst", ".gz"] as const;

/** A module's path without the ending of its compression: "kernel/fs/ext4/ext4.ko.zst" → "kernel/fs/ext4/ext4.ko". */
export function plainPath(path: string): string {
  const ending = ENDINGS.find((each) => path.endsWith(each));
  return ending === undefined ? path : path.slice(0, -ending.length);
}

/** A module's ELF file, decompressed. Throws BootError where it is missing, broken, too large, or the tool for it is not there. */
export function readModuleFile(path: string, limit = UNPACKED_MAX): Uint8Array {
  const bytes = attempt(
    `cannot read the module ${path}`,
    () => readFileSync(path),
    "run depmod: its list names a file that is not there",
  );
  try {
    // Not Bun's own, which takes at once the memory that the data's header asks for.
    if (path.endsWith(".zst")) return zstdDecompressSync(bytes, { maxOutputLength: limit });
    if (path.endsWith(".gz")) return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (cause) {
    if (isOverLimit(cause)) throw tooLarge(path, limit);
    throw new BootError(`the module ${path} is damaged: it cannot be decompressed`, {
      cause,
      hint: "install the kernel package again",
    });
  }
  return path.endsWith(".xz") ? readXz(path, bytes, limit) : bytes;
}

/** Neither Bun nor Node reads xz, so its own tool does. */
function readXz(path: string, bytes: Uint8Array, limit: number): Uint8Array {
  if (Bun.which("xz") === null) {
    throw new BootError(`cannot decompress ${path}: there is no program xz here`, {
      hint: "install it (Debian: apt install xz-utils)",
    });
  }
  const { exitCode, stdout, stderr } = Bun.spawnSync(["xz", "-dc", XZ_MEMORY_LIMIT], {
    stdin: bytes,
    maxBuffer: limit + 1,
  });
  if (stdout.length > limit) throw tooLarge(path, limit);
  if (exitCode === 0) return stdout;
  throw new BootError(`the module ${path} is damaged: xz says ${stderr.toString().trim()}`, {
    hint: "install the kernel package again",
  });
}

function tooLarge(path: string, limit: number): BootError {
  return new BootError(`the module ${path} unpacks to more than ${limit} bytes, as no module does`, {
    hint: "install the kernel package again",
  });
}

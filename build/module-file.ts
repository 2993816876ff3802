import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { BootError } from "../src/errors.ts";
import { attempt } from "./attempt.ts";

/** The ending that a compressed module's file has after ".ko". */
const ENDINGS = [".xz", ".zst", ".gz"] as const;

/** A module's path without the ending of its compression: "kernel/fs/ext4/ext4.ko.zst" → "kernel/fs/ext4/ext4.ko". */
export function plainPath(path: string): string {
  const ending = ENDINGS.find((each) => path.endsWith(each));
  return ending === undefined ? path : path.slice(0, -ending.length);
}

/** A module's ELF file, decompressed. Throws BootError where it is missing, broken, or the tool for it is not there. */
export function readModuleFile(path: string): Uint8Array {
  const bytes = attempt(
    `cannot read the module ${path}`,
    () => readFileSync(path),
    "run depmod: its list names a file that is not there",
  );
  try {
    if (path.endsWith(".zst")) return Bun.zstdDecompressSync(bytes);
    if (path.endsWith(".gz")) return gunzipSync(bytes);
  } catch (cause) {
    throw new BootError(`the module ${path} is damaged: it cannot be decompressed`, {
      cause,
      hint: "install the kernel package again",
    });
  }
  return path.endsWith(".xz") ? readXz(path, bytes) : bytes;
}

/** Neither Bun nor Node reads xz, so its own tool does. */
function readXz(path: string, bytes: Uint8Array): Uint8Array {
  if (Bun.which("xz") === null) {
    throw new BootError(`cannot decompress ${path}: there is no program xz here`, {
      hint: "install it (Debian: apt install xz-utils)",
    });
  }
  const { exitCode, stdout, stderr } = Bun.spawnSync(["xz", "-dc"], { stdin: bytes });
  if (exitCode === 0) return stdout;
  throw new BootError(`the module ${path} is damaged: xz says ${stderr.toString().trim()}`, {
    hint: "install the kernel package again",
  });
}

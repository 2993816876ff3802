import { BootError } from "../../../problems/errors.ts";
import { damaged, tooLarge } from "./stream.ts";

/** An option of xz: a header may ask for a dictionary of 4 GiB, xz -9 makes one of 64 MiB. */
export const XZ_MEMORY_LIMIT = "--memlimit-decompress=256MiB";

/** Programs for what neither Bun nor Node unpacks, from stdin to stdout, and Debian's packages of them. */
const TOOLS = {
  xz: { argv: ["xz", "-dc", "--format=xz", XZ_MEMORY_LIMIT], debianPackage: "xz-utils" },
  lzma: { argv: ["xz", "-dc", "--format=lzma", XZ_MEMORY_LIMIT], debianPackage: "xz-utils" },
  bzip2: { argv: ["bzip2", "-dc"], debianPackage: "bzip2" },
  lzo: { argv: ["lzop", "-dc"], debianPackage: "lzop" },
  lz4: { argv: ["lz4", "-dc"], debianPackage: "lz4" },
} as const;
/** A program that unpacks what Bun cannot. */
export type UnpackTool = keyof typeof TOOLS;

/**
 * Unpacks `data`, which begins at byte `start` of an image. Throws BootError where the tool is missing, gives nothing, or
 * more than `limit` bytes. What it says of bytes after the stream's end counts for nothing: the archive in it ends by itself.
 */
export function runTool(
  name: UnpackTool,
  data: Uint8Array,
  { start, limit }: { readonly start: number; readonly limit: number },
): Uint8Array {
  const { argv, debianPackage } = TOOLS[name];
  if (Bun.which(argv[0]) === null) {
    throw new BootError(`cannot unpack the ${name} data at byte ${start}: there is no program ${argv[0]} here`, {
      hint: `install it (Debian: apt install ${debianPackage})`,
    });
  }
  const { stdout, stderr } = Bun.spawnSync([...argv], { stdin: data, maxBuffer: limit + 1 });
  if (stdout.length > limit) throw tooLarge(name, start, limit);
  if (stdout.length === 0) throw damaged(name, start, stderr.toString().trim().split("\n")[0] ?? "it gives nothing");
  return stdout;
}

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompressSync } from "node:zlib";
import { cachePath } from "../../cache.ts";
import { compressLz4, isLz4Frame } from "./lz4.ts";
import type { Codec } from "./plan.ts";

const compress = promisify(zstdCompress);

export type GroupBytes = Readonly<{ bytes: Uint8Array; codec: Codec }>;

/** The directory for compressed groups: compressing those of the runtime takes a minute, and they hardly ever change. */
export const groupCache = (): string => cachePath("groups");

/**
 * Compresses each group to a frame with a checksum, on all CPUs; `level` is that of zstd. Takes frames from the directory `cache` and
 * leaves them there; null: without one.
 */
export async function compressGroups(
  groups: readonly GroupBytes[],
  level: number,
  cache: string | null,
): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  if (cache !== null) mkdirSync(cache, { recursive: true });
  let next = 0;
  const work = async () => {
    for (let index = next++; index < groups.length; index = next++) {
      const group = groups[index] ?? { bytes: new Uint8Array(0), codec: "zstd" };
      if (group.codec === "none") {
        frames[index] = group.bytes;
        continue;
      }
      const path = cache === null ? null : framePath(cache, level, group);
      frames[index] = (path === null ? null : readFrame(path, group)) ?? (await makeFrame(path, level, group));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return frames;
}

async function makeFrame(path: string | null, level: number, { bytes, codec }: GroupBytes): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  const frame = (codec === "lz4" ? await compressLz4(bytes) : null) ?? (await compress(bytes, { params }));
  if (path !== null) {
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, frame);
    renameSync(unfinished, path);
  }
  return frame;
}

/** Returns null if the frame is not there, or is not that of the group. */
function readFrame(path: string, { bytes, codec }: GroupBytes): Uint8Array | null {
  try {
    const frame = readFileSync(path);
    if ((codec === "lz4" && isLz4Frame(frame)) || zstdDecompressSync(frame).equals(bytes)) return frame;
    rmSync(path, { force: true });
  } catch {
    // Missing or damaged: made once more.
  }
  return null;
}

function framePath(cache: string, level: number, { bytes, codec }: GroupBytes): string {
  const suffix = codec === "lz4" ? "lz4" : `${level}.zst`;
  return join(cache, `${createHash("sha256").update(bytes).digest("hex")}.${suffix}`);
}

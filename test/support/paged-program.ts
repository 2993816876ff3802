import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readParts } from "../../build/site.ts";
import { groupCache } from "../../build/stage0/paged/compress.ts";
import { type PagedOptions, packPaged } from "../../build/stage0/paged/pack-paged.ts";
import type { PageSets } from "../../build/stage0/paged/plan.ts";
import { loads, readElf, STORE_MAGIC } from "../../src/desk/program/elf.ts";
import { holds } from "../../src/formats/bytes.ts";
import { scratchDirectory } from "./cache.ts";
import { linkOnce } from "./compiled-c.ts";
import { compileProgram } from "./packed-program.ts";

/** Userfaultfd that follows forks is for root; everybody else gets everything unpacked at the start. */
export const canPage = process.getuid?.() === 0;

/** Returns the path of paged-child.c, compiled and not packed. */
export function pagedChildProgram(): Promise<string> {
  return compileProgram("paged-child.c");
}

/** Packs paged-child.c with its pages compressed. Frames and stage0 that were made before are taken from the cache, if `options` do not say otherwise. */
export async function packPagedChild(options: Partial<PagedOptions> = {}): Promise<Uint8Array> {
  const usual = { sets: [], level: 3, cache: groupCache(), link: linkOnce };
  return packPaged(readParts(await pagedChildProgram()), { ...usual, ...options });
}

/** Returns sets of pages, none of which follows another. */
export function pageSets(...sets: readonly ReadonlySet<number>[]): PageSets {
  return sets.map((pages) => ({ pages, isFollowing: false }));
}

export function writeProgram(bytes: Uint8Array): string {
  const path = join(scratchDirectory(), "paged");
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}

/** Returns the processes that this one has started, from /proc. */
export function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
}

/** Returns all processes whose program is the file at `path`; stage0's helpers run the same file. */
export function processesOf(path: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && programOf(name) === path)
    .map(Number);
}

function programOf(pid: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")[0] ?? null;
  } catch {
    return null; // it has ended
  }
}

/** Waits until nothing of the program is left: its pager ends with it. */
export async function waitForEnd(path: string): Promise<void> {
  for (let turn = 0; processesOf(path).length > 0; turn++) {
    if (turn === 6000) throw new Error(`processes of ${path} are left: ${processesOf(path).join(", ")}`);
    await Bun.sleep(10);
  }
}

export function storeOffset(file: Buffer): number {
  const store = loads(readElf(file)).find(({ offset }) => holds(file, offset, STORE_MAGIC));
  if (store === undefined) throw new Error("no store");
  return store.offset;
}

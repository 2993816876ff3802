import { PT } from "../../../src/desk/program/elf.ts";
import { assemble, type Piece, READ, segment } from "../assemble.ts";
import type { Parts } from "../checks.ts";
import { layOut } from "../layout.ts";
import { linkStage0 } from "../link.ts";

import { compressGroups } from "./compress.ts";
import { type CodeFilter, codeFilter } from "./filter.ts";
import { createMemory, PAGE, type ProgramMemory } from "./memory.ts";
import { type Bundle, MOST_PAGES, type PageSets, planPages, type Run } from "./plan.ts";
import { encodeStore, STORE_FLAGS } from "./store.ts";

/** From the beginning of stage0 with its pager and decompressor to its config, in bytes. */
const PAGED_ROOM = 0x40000;
const EHDR_SIZE = 64;

/** A higher one saves nothing with groups of this size. */
const LEVEL = 19;

/** How `packPaged` packs. The first three are for `planPages`, `level` and `cache` for `compressGroups`; `link` makes stage0. */
export type PagedOptions = Readonly<{
  sets: PageSets;
  bundle?: Bundle;
  groupPages?: number;
  cache: string | null;
  flags?: number;
  level?: number;
  link?: typeof linkStage0;
}>;

/**
 * Makes the static ELF that `pack` makes, but with the program's segments and its libraries in a store, compressed in groups of pages. The same input gives the same bytes. Throws BootError for unsupported input.
 */
export async function packPaged(
  input: Parts,
  {
    sets,
    bundle,
    groupPages = MOST_PAGES,
    cache,
    flags = STORE_FLAGS.none,
    level = LEVEL,
    link = linkStage0,
  }: PagedOptions,
): Promise<Uint8Array> {
  const layout = layOut(input, PAGED_ROOM);
  const { pageSize } = layout.target;
  const program = new Uint8Array(input.program.bytes);
  layout.rename(program);
  const memory = createMemory(program, layout.elf, layout.shelf, pageSize);
  const plan = planPages(memory, [...sets, ...setsOf(layout.shelved)], groupPages, bundle);
  const filter = codeFilter(memory.regions, layout.target);
  const contents = plan.groups.map(({ runs, codec }) => {
    return { bytes: readRuns(memory, runs, codec === "zstd" ? filter : UNCHANGED), codec };
  });
  const frames = await compressGroups(contents, level, cache);

  const stage0 = layout.readStage0(
    link(layout.target, layout.stage0Address, { config: layout.configAddress, store: layout.endAddress }),
  );
  const head = elfHead(input.program.bytes);
  const pieces: Piece[] = [stage0.piece, ...layout.pieces];
  const store = encodeStore(memory, plan, frames, flags);
  pieces.push({ bytes: store, headers: [segment(PT.LOAD, store, layout.endAddress, READ, pageSize)] });
  return assemble(head, stage0.entry, layout.tableAddress, pageSize, pieces);
}

/** Undoing the filter would take longer than LZ4. */
const UNCHANGED: CodeFilter = (bytes) => bytes;

function readRuns(memory: ProgramMemory, runs: readonly Run[], filter: CodeFilter): Buffer {
  return Buffer.concat(runs.map(({ page, count }) => filter(memory.read(page, count), page)));
}

/** A set for each library: stage0 unpacks it as a whole (unpack_library of unpack.c). */
function setsOf(libraries: readonly { address: number; bytes: Uint8Array }[]): PageSets {
  return libraries.map(({ address, bytes }) => {
    const count = Math.ceil(bytes.length / PAGE);
    const pages = new Set(Array.from({ length: count }, (_, index) => address / PAGE + index));
    return { pages, isFollowing: false };
  });
}

/** The ELF header of the program without program headers and sections: `assemble` adds the new ones. */
function elfHead(program: Uint8Array): Uint8Array {
  const head = Buffer.alloc(EHDR_SIZE);
  head.set(program.subarray(0, EHDR_SIZE));
  // Elf64_Ehdr: e_phoff, e_shoff; e_phnum, e_shentsize, e_shnum, e_shstrndx.
  head.fill(0, 32, 48);
  head.fill(0, 56, 64);
  return head;
}

import { align } from "../../../src/desk/archive/cpio.ts";
import { PT } from "../../../src/desk/program/elf.ts";
import { BootError } from "../../../src/problems/errors.ts";
import { assemble, type Piece, READ, segment } from "../assemble.ts";
import type { Parts } from "../checks.ts";
import { layOut } from "../layout.ts";
import { linkStage0 } from "../link.ts";

import { compressGroups } from "./compress.ts";
import { codeFilter } from "./filter.ts";
import { createMemory, PAGE } from "./memory.ts";
import { planPages } from "./plan.ts";
import { encodeStore, STORE_FLAGS } from "./store.ts";

/** From the beginning of stage0 with its pager and decompressor to its config, in bytes. */
const PAGED_ROOM = 0x40000;
const EHDR_SIZE = 64;

/** The best for frames of this size. */
const LEVEL = 19;

/** How `packPaged` packs. `isHot` is asked about page numbers; `level` and `cache` are for `compressGroups`. */
export type PagedOptions = Readonly<{
  isHot: (page: number) => boolean;
  cache: string | null;
  flags?: number;
  level?: number;
}>;

/**
 * Makes the static ELF that `pack` makes, but with the program's segments in a store: compressed in groups of pages, apart from
 * those that are hot. The same input gives the same bytes. Throws BootError for unsupported input.
 */
export async function packPaged(
  input: Parts,
  { isHot, cache, flags = STORE_FLAGS.none, level = LEVEL }: PagedOptions,
  link: typeof linkStage0 = linkStage0,
): Promise<Uint8Array> {
  const layout = layOut(input, PAGED_ROOM);
  if (!layout.target.canPage) throw new BootError(`there is no pager for ${layout.target.name}`);
  const program = Uint8Array.from(input.program.bytes);
  layout.rename(program);
  const memory = createMemory(program, layout.elf);
  const plan = planPages(memory, isHot);
  const filter = codeFilter(memory.regions);
  const groups = plan.groups.map((runs) =>
    Buffer.concat(runs.map(({ page, count }) => filter(memory.read(page, count), page))),
  );
  const frames = await compressGroups(groups, level, cache);

  const stage0 = layout.readStage0(
    link(layout.target, layout.stage0Address, { config: layout.configAddress, store: layout.endAddress }),
  );
  const head = elfHead(input.program.bytes);
  const pieces: Piece[] = [stage0.piece, ...layout.pieces];
  const fileOffset = pieces.reduce((end, { bytes }) => align(end, PAGE) + bytes.length, head.length);
  const store = encodeStore(memory, plan, frames, { fileOffset: align(fileOffset, PAGE), flags });
  pieces.push({ bytes: store, headers: [segment(PT.LOAD, store, layout.endAddress, READ, PAGE)] });
  return assemble(head, stage0.entry, layout.shelfAddress, PAGE, pieces);
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

import { align } from "../../../src/desk/archive/cpio.ts";
import { STORE_MAGIC } from "../../../src/desk/program/elf.ts";
import { PAGE, type ProgramMemory, type Region } from "./memory.ts";
import type { PagePlan, Run } from "./plan.ts";

/** As in pager.h. */
export const STORE_FLAGS = { none: 0, eager: 1, log: 2 } as const;
const MOST_REGIONS = 4;
const HEADER_SIZE = STORE_MAGIC.length + 8 + 12 * 4 + MOST_REGIONS * 32;
const GROUP_SIZE = 16;
const RUN_SIZE = 8;
const MAPPED_SIZE = 12;

/** Encodes `struct store` of pager.h with everything that it refers to. `frames` are the compressed groups of the plan. */
export function encodeStore(
  memory: ProgramMemory,
  { groups, mapped }: PagePlan,
  frames: readonly Uint8Array[],
  { fileOffset, flags }: Readonly<{ fileOffset: number; flags: number }>,
): Uint8Array {
  const { regions } = memory;
  const runs = groups.flat();
  const groupsAt = HEADER_SIZE;
  const runsAt = groupsAt + groups.length * GROUP_SIZE;
  const mappedAt = runsAt + runs.length * RUN_SIZE;
  // Pages that are mapped have to be on pages of the file.
  const pagesAt = align(mappedAt + mapped.length * MAPPED_SIZE, PAGE);
  const hot = mapped.filter(({ isZero }) => !isZero);
  const framesAt = pagesAt + pagesOf(hot) * PAGE;
  const size = framesAt + frames.reduce((sum, frame) => sum + frame.length, 0);
  const firstPage = (regions[0]?.address ?? 0) / PAGE;

  const bytes = Buffer.alloc(size);
  const put = writer(bytes);
  const largest = Math.max(1, ...groups.map(pagesOf)) * PAGE;
  put.text(STORE_MAGIC);
  put.words(fileOffset);
  put.numbers(size, flags, firstPage, largest, regions.length, groups.length, runs.length, mapped.length);
  put.numbers(groupsAt, runsAt, mappedAt, 0);
  for (const region of regions) put.words(...regionWords(region));
  put.skipTo(groupsAt);
  let frameAt = framesAt;
  let firstRun = 0;
  for (const [index, group] of groups.entries()) {
    const frame = frames[index] ?? new Uint8Array(0);
    put.numbers(frameAt, frame.length, firstRun, group.length);
    bytes.set(frame, frameAt);
    frameAt += frame.length;
    firstRun += group.length;
  }
  for (const { page, count } of runs) put.numbers(page - firstPage, count);
  let pageAt = pagesAt;
  for (const { page, count, isZero } of mapped) {
    put.numbers(page - firstPage, count, isZero ? 0 : pageAt);
    if (isZero) continue;
    bytes.set(memory.read(page, count), pageAt);
    pageAt += count * PAGE;
  }
  return bytes;
}

function pagesOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

function regionWords({ address, fileEnd, memoryEnd, protection }: Region): number[] {
  return [address, fileEnd, memoryEnd, protection];
}

function writer(bytes: Buffer) {
  let at = 0;
  return {
    text(text: string) {
      at += bytes.write(text, at, "latin1");
    },
    numbers(...values: number[]) {
      for (const value of values) at = bytes.writeUInt32LE(value, at);
    },
    words(...values: number[]) {
      for (const value of values) at = bytes.writeBigUInt64LE(BigInt(value), at);
    },
    skipTo(offset: number) {
      at = offset;
    },
  };
}

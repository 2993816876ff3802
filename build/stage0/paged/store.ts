import { align } from "../../../src/desk/archive/cpio.ts";
import { STORE_MAGIC } from "../../../src/desk/program/elf.ts";
import { PAGE, type ProgramMemory, type Region } from "./memory.ts";
import type { Group, PagePlan, Run } from "./plan.ts";

/** As in pager.h. */
export const STORE_FLAGS = { none: 0, eager: 1, log: 2 } as const;
const MOST_REGIONS = 6;
const HEADER_SIZE = STORE_MAGIC.length + 10 * 4 + MOST_REGIONS * 32;
const ROW_SIZE = 16;
const NO_GROUP = 0xffffffff;

/** Encodes `struct store` of pager.h with everything that it refers to. `frames` are the compressed groups of the plan. */
export function encodeStore(
  { regions }: ProgramMemory,
  { groups, zeros }: PagePlan,
  frames: readonly Uint8Array[],
  flags: number,
): Uint8Array {
  const runs = listRuns(groups, zeros);
  const groupsAt = HEADER_SIZE;
  const runsAt = groupsAt + groups.length * ROW_SIZE;
  // The first ones are plain, so they are mapped from the file.
  const framesAt = align(runsAt + runs.length * ROW_SIZE, PAGE);
  const firstPage = (regions[0]?.address ?? 0) / PAGE;
  const most = Math.max(1, ...groups.map(({ runs }) => pagesOf(runs)));
  const size = framesAt + frames.reduce((sum, frame) => sum + frame.length, 0);

  const bytes = Buffer.alloc(size);
  const put = writer(bytes);
  put.text(STORE_MAGIC);
  put.numbers(size, flags, firstPage, most);
  put.numbers(regions.length, groups.length, runs.length, groupsAt, runsAt, 0);
  for (const region of regions) put.words(...regionWords(region));
  put.skipTo(groupsAt);
  let frameAt = framesAt;
  for (const [index, group] of groups.entries()) {
    const frame = frames[index] ?? new Uint8Array(0);
    put.numbers(frameAt, frame.length, pagesOf(group.runs), group.step);
    bytes.set(frame, frameAt);
    frameAt += frame.length;
  }
  for (const { page, count, group, before } of runs) put.numbers(page - firstPage, count, group, before);
  return bytes;
}

/** Returns all runs in the order of their addresses, with their group and the number of pages before them in it. */
function listRuns(groups: readonly Group[], zeros: readonly Run[]) {
  const rows = zeros.map((run) => ({ ...run, group: NO_GROUP, before: 0 }));
  for (const [group, { runs }] of groups.entries()) {
    let before = 0;
    for (const run of runs) {
      rows.push({ ...run, group, before });
      before += run.count;
    }
  }
  return rows.sort((one, other) => one.page - other.page);
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

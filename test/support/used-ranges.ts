import { statSync } from "node:fs";
import { run } from "./command.ts";

const MIB = 1024 * 1024;

/** A range of an image, in MiB. */
export interface MibRange {
  readonly start: number;
  readonly count: number;
}

/** Returns the parts of an image that its filesystem uses: of ext2 to ext4 without what is free, otherwise the whole image. */
export async function usedRanges(file: string): Promise<readonly MibRange[]> {
  const whole = Math.ceil(statSync(file).size / MIB);
  const groups = await run(["dumpe2fs", file]).catch(() => "");
  const blockBytes = Number(/^Block size: +(\d+)$/m.exec(groups)?.[1] ?? 0);
  const isFree = new Array<boolean>(whole).fill(false);
  for (const [, list = ""] of blockBytes > 0 ? groups.matchAll(/^ {2}Free blocks: (.*)$/gm) : []) {
    for (const [, from, to = from] of list.matchAll(/(\d+)(?:-(\d+))?/g)) {
      const first = Math.ceil((Number(from) * blockBytes) / MIB);
      const end = Math.floor(((Number(to) + 1) * blockBytes) / MIB);
      if (first < end) isFree.fill(true, first, end);
    }
  }
  return joinRanges(isFree);
}

function joinRanges(isFree: readonly boolean[]): readonly MibRange[] {
  const starts = [...isFree.keys()].filter((mib) => isFree[mib] === false && isFree[mib - 1] !== false);
  return starts.map((start) => {
    const end = isFree.indexOf(true, start);
    return { start, count: (end < 0 ? isFree.length : end) - start };
  });
}

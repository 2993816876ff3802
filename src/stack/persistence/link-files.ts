import type { Context } from "../../drivers/context.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";

/** Deeper and larger trees are not for links; the volume must not decide how long a boot takes. */
const MOST = { depth: 32, links: 10_000 };

/**
 * Links every file below `source` from the same place below `target`, as live-boot's option link does: directories that are missing
 * are created, and files in the way are replaced. It follows no symbolic link of either side.
 */
export function linkFiles(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  source: string,
  target: string,
): void {
  const count = { left: MOST.links };
  linkBelow(machine, { source, target, depth: MOST.depth }, count);
  if (count.left < 0) voice.warn(`${printable(target)} has links to only ${MOST.links} of the files on its volume`);
}

interface Pair {
  readonly source: string;
  readonly target: string;
  readonly depth: number;
}

/** Counts the links that may still be made; negative if there were more files. */
interface Count {
  left: number;
}

function linkBelow(machine: Machine, { source, target, depth }: Pair, count: Count): void {
  for (const name of machine.listDirectory(source)) {
    if (count.left < 0) return;
    const [from, to] = [`${source}/${name}`, `${target}/${name}`];
    if (machine.lstat(from)?.kind !== "directory") linkFile(machine, from, to, count);
    else if (depth > 0 && isReady(machine, from, to)) {
      linkBelow(machine, { source: from, target: to, depth: depth - 1 }, count);
    }
  }
}

function linkFile(machine: Machine, from: string, to: string, count: Count): void {
  const kind = machine.lstat(to)?.kind;
  count.left -= 1;
  if (count.left < 0 || kind === "directory") return;
  if (kind !== undefined) machine.removeFile(to);
  machine.makeSymlink(from, to);
}

/** Creates the directory `to` like `from`. False if `from` is empty, or if `to` is something else, such as a link out of the root. */
function isReady(machine: Machine, from: string, to: string): boolean {
  const kind = machine.lstat(to)?.kind;
  if (kind !== undefined || machine.listDirectory(from).length === 0) return kind === "directory";
  machine.makeDirectory(to);
  machine.copyAttributes(from, to);
  return true;
}

import { parentOf } from "./layers.ts";
import type { Operation } from "./operations.ts";

/** A change of the branch. */
export interface PlannedOperation {
  readonly operation: Operation;
  readonly isLater: boolean;
}

/** Decides which changes wait: those of what a redirect leads to, of what is in a directory that waits, and the time of a directory in which a change waits. */
export function delay(operations: readonly Operation[], sources: readonly string[]): readonly PlannedOperation[] {
  const leadsTo = (path: string) =>
    sources.some((source) => source === path || source.startsWith(`${path}/`) || path.startsWith(`${source}/`));
  const directories = new Set<string>();
  const delayed = new Set<string>();
  for (const { kind, path } of sources.length === 0 ? [] : operations) {
    if (!leadsTo(path) && !ancestorsOf(path).some((one) => directories.has(one))) continue;
    delayed.add(path);
    if (kind === "directory") directories.add(path);
  }
  const changed = new Set([...delayed].map(parentOf));
  return operations.map((operation) => {
    const { kind, path } = operation;
    return { operation, isLater: delayed.has(path) || (kind === "time" && changed.has(path)) };
  });
}

function ancestorsOf(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

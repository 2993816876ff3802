import * as fs from "node:fs";
import { SIGKILL } from "../../abi/child.ts";
import { callKernel } from "../libc.ts";

/** A process that forks while it is ended needs another round; more than these is one that does nothing else. */
const MOST_ROUNDS = 50;
const ROUND_MS = 5;

/** Returns the processes below `pid` that run, not the zombies. It is a child subreaper: a daemon below it has no other parent. */
export function listDescendants(pid: number): readonly number[] {
  const parents = new Map(listProcesses().map((one) => [one.pid, one]));
  const isBelow = (one: number, seen = 0): boolean => {
    const parent = parents.get(one)?.parent ?? 0;
    return parent === pid || (parent > 0 && seen < parents.size && isBelow(parent, seen + 1));
  };
  return [...parents.values()].filter((one) => one.isRunning && isBelow(one.pid)).map((one) => one.pid);
}

/** Kills them, and what they start meanwhile. */
export function killDescendants(pid: number): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = listDescendants(pid);
    if (found.length === 0) return;
    for (const one of found) callKernel("kill", [one, SIGKILL]);
    Bun.sleepSync(ROUND_MS);
  }
}

function listProcesses() {
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    // "12 (name) S 1 …" of proc(5): a name may contain anything.
    const stat = readStat(name);
    const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return stat === "" ? [] : [{ pid: Number(name), parent: Number(parent), isRunning: !"ZX".includes(state) }];
  });
}

/** Returns an empty text for a process that has ended. */
function readStat(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return "";
  }
}

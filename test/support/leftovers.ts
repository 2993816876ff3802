import { dlopen, FFIType } from "bun:ffi";
import { readdirSync, readFileSync } from "node:fs";

const { symbols: libc } = dlopen("libc.so.6", {
  prctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
  waitpid: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
});
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const POLL_MS = 100;

/** A process below this one. */
export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** Makes this process the parent of all its descendants that lose theirs (prctl(2)), daemons too, so that `leftovers` finds them. */
export function adoptOrphans(): void {
  if (libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0)
    throw new Error("the kernel refused PR_SET_CHILD_SUBREAPER");
}

/** The processes below this one that still run after `graceMs`. None of this process's own children may be running. */
export async function leftovers(graceMs: number): Promise<readonly Leftover[]> {
  const endMs = performance.now() + graceMs;
  for (;;) {
    const found = descendants();
    if (found.length === 0 || performance.now() >= endMs) return found;
    await Bun.sleep(POLL_MS);
  }
}

function descendants(): Leftover[] {
  const children = Map.groupBy(listProcesses(), ({ parent }) => parent);
  const found: Leftover[] = [];
  for (const queue = [process.pid]; queue.length > 0; ) {
    for (const { pid, state } of children.get(queue.shift() ?? 0) ?? []) {
      queue.push(pid);
      // An adopted process that has ended is waited for by no other one.
      if (state === "Z") libc.waitpid(pid, null, WNOHANG);
      else found.push({ pid, command: readCommand(pid) });
    }
  }
  return found;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** As in proc(5): R, S, D, Z, … */
  readonly state: string;
}

function listProcesses(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : "";
    const [, state = "", parent = ""] = /^.*\) (\S) (\d+) /s.exec(stat) ?? [];
    return state === "" ? [] : [{ pid: Number(name), parent: Number(parent), state }];
  });
}

function readCommand(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() || read(`/proc/${pid}/comm`).trim();
}

/** Empty where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

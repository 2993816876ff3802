import * as fs from "node:fs";
import { SIGSTOP, WNOHANG, WUNTRACED } from "../../abi/child.ts";
import { closing } from "../descriptors.ts";
import { callKernel, pollBriefly } from "../libc.ts";

/** linux/auxvec.h */
const AT_PAGESZ = 6;
/** Documentation/admin-guide/mm/pagemap.rst: a u64 for each page, whose highest bit says that it is in memory. */
const ENTRY_BYTES = 8;
const PRESENT = 0x80;
const PAGES_AT_ONCE = 1 << 15;
const ZEROS = 1 << 20;
const STOP_MS = 500;

/**
 * Stops a child process and overwrites its private memory, because the kernel does not wipe the pages of a killed process. Best
 * effort: the kernel may forbid it (Yama's ptrace_scope=3), or have no smaps and pagemap.
 */
export function overwriteProcess(pid: number): void {
  callKernel("kill", [pid, SIGSTOP]);
  // One that waits in the kernel for a disk does not stop, but does not use its memory either.
  const hasStopped = () => (callKernel("wait4", [pid, new Int32Array(1), WUNTRACED | WNOHANG, 0]) === 0 ? null : true);
  pollBriefly(hasStopped, STOP_MS);
  try {
    closing(fs.openSync(`/proc/${pid}/mem`, "r+"), (memory) =>
      closing(fs.openSync(`/proc/${pid}/pagemap`, "r"), (pagemap) => overwritePages(pid, memory, pagemap)),
    );
  } catch {
    // The child is killed anyway.
  }
}

function overwritePages(pid: number, memory: number, pagemap: number): void {
  const pageBytes = readPageSize();
  const zeros = new Uint8Array(ZEROS);
  for (const [start, end] of privateRanges(pid)) {
    for (const [from, to] of presentRanges(pagemap, start, end, pageBytes)) {
      for (let at = from; at < to; at += ZEROS) callKernel("pwrite64", [memory, zeros, Math.min(ZEROS, to - at), at]);
    }
  }
}

/** Lists the private writable ranges in use, by proc_pid_smaps(5): most of what the runtime reserves is not used. */
function privateRanges(pid: number): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (const part of fs.readFileSync(`/proc/${pid}/smaps`, "latin1").split(/^(?=[0-9a-f]+-)/m)) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw.p /.exec(part) ?? [];
    if (start === undefined || end === undefined || /^Rss: +0 kB$/m.test(part)) continue;
    ranges.push([Number.parseInt(start, 16), Number.parseInt(end, 16)]);
  }
  return ranges;
}

/** Lists the parts of a range that are in memory. */
function* presentRanges(pagemap: number, start: number, end: number, pageBytes: number) {
  const all = Buffer.alloc(PAGES_AT_ONCE * ENTRY_BYTES);
  for (let at = start; at < end; at += PAGES_AT_ONCE * pageBytes) {
    const pages = Math.min(PAGES_AT_ONCE, (end - at) / pageBytes);
    const bytes = fs.readSync(pagemap, all, 0, pages * ENTRY_BYTES, (at / pageBytes) * ENTRY_BYTES);
    const entries = all.subarray(0, bytes);
    const isPresent = (page: number) => ((entries[page * ENTRY_BYTES + ENTRY_BYTES - 1] ?? 0) & PRESENT) !== 0;
    // Usually no page is present: one comparison is faster than a look at each entry.
    if (!isPresent(0) && entries.subarray(ENTRY_BYTES).equals(entries.subarray(0, -ENTRY_BYTES))) continue;
    let from: number | null = null;
    for (let page = 0; page <= bytes / ENTRY_BYTES; page++) {
      if (isPresent(page)) {
        from ??= page;
      } else if (from !== null) {
        yield [at + from * pageBytes, at + page * pageBytes] as const;
        from = null;
      }
    }
  }
}

function readPageSize(): number {
  const words = new BigUint64Array(Uint8Array.from(fs.readFileSync("/proc/self/auxv")).buffer);
  for (let at = 0; at + 1 < words.length; at += 2) if (words[at] === BigInt(AT_PAGESZ)) return Number(words[at + 1]);
  return 4096;
}

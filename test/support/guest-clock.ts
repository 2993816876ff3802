import { readdirSync, readFileSync } from "node:fs";

/** A monotonic time in milliseconds. */
export type Clock = () => number;

/**
 * A clock for waiting for the process `pid`: it stands still while that process waits for a CPU of this host. So a timeout says how
 * long a guest may take, and not how busy the host may be. By the second figure of /proc/PID/task/TID/schedstat (the kernel's
 * Documentation/scheduler/sched-stats.rst), of the thread that waited longest; where the kernel has none, it is the usual clock.
 */
export function clockOf(pid: number): Clock {
  let waitedMs = 0;
  return () => {
    waitedMs = Math.max(waitedMs, readWaitedMs(pid));
    return performance.now() - waitedMs;
  };
}

function readWaitedMs(pid: number): number {
  try {
    const waits = readdirSync(`/proc/${pid}/task`).map((thread) => {
      const [, nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      return Number(nanoseconds) / 1e6;
    });
    return Math.max(0, ...waits);
  } catch {
    // It has ended, or the kernel keeps no such figures.
    return 0;
  }
}

/** Calls `act` after `timeoutMs` of this clock; returns what prevents it. */
export function afterMs(clock: Clock, timeoutMs: number, act: () => void): () => void {
  const endMs = clock() + timeoutMs;
  let timer: Timer;
  const wait = (): void => {
    const leftMs = endMs - clock();
    if (leftMs <= 0) act();
    else timer = setTimeout(wait, leftMs);
  };
  timer = setTimeout(wait, timeoutMs);
  return () => clearTimeout(timer);
}

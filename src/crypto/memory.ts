import type { Files } from "../machine/machine.ts";

/** Returns the bytes that can be allocated without swapping (MemAvailable of proc_meminfo(5)); null if unknown. */
export function readAvailableMemory(machine: Pick<Files, "stat" | "readFile">): number | null {
  if (machine.stat("/proc/meminfo") === null) return null;
  const kib = /^MemAvailable:\s*(\d+) kB$/m.exec(new TextDecoder().decode(machine.readFile("/proc/meminfo")))?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

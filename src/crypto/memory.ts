import type { Files } from "../machine/machine.ts";

/** What can be allocated without swapping, in bytes (MemAvailable of proc_meminfo(5)); null where the machine does not say it. */
export function readAvailableMemory(machine: Pick<Files, "stat" | "readFile">): number | null {
  if (machine.stat("/proc/meminfo") === null) return null;
  const kib = /^MemAvailable:\s*(\d+) kB$/m.exec(new TextDecoder().decode(machine.readFile("/proc/meminfo")))?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

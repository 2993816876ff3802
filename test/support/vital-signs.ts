import { readFileSync } from "node:fs";
import type { Vm } from "./qemu.ts";

const SILENCE_MS = 10_000;
const WATCH_MS = 5000;
/** A line that is not the kernel's. */
const OTHER_LINE = /^(?!\[ *\d+\.\d+\])\S/m;

/**
 * Whether QEMU lost this guest. Where the host is short of CPU, its TCG does that in some hundred boots: the kernel finds no timer,
 * stops before there is an init, or gets no interrupt any more. A guest that only waits is not lost, whatever it waits for: its kernel
 * looks at its clocks twice a second, for which QEMU's thread has to run.
 */
export async function isLost(vm: Vm): Promise<boolean> {
  const log = vm.log();
  if (log.includes("Kernel panic - not syncing: IO-APIC + timer")) return true;
  if (log.includes("Kernel panic") || vm.silentMs() < SILENCE_MS) return false;
  if (!log.includes("as init process") && !OTHER_LINE.test(log)) return true;
  const before = await countTimeslices(vm);
  await vm.pause(WATCH_MS);
  return before !== null && before === (await countTimeslices(vm));
}

/** How often the threads of the guest's CPUs ran (the third figure of schedstat); null where QEMU has ended. */
async function countTimeslices(vm: Vm): Promise<string | null> {
  try {
    const cpus = (await vm.monitor("query-cpus-fast")) as readonly { readonly "thread-id": number }[];
    const threads = new Set(cpus.map((cpu) => cpu["thread-id"]));
    return [...threads].map((id) => readFileSync(`/proc/${id}/schedstat`, "utf8").split(" ")[2]?.trim()).join(" ");
  } catch {
    return null;
  }
}

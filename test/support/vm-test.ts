import { test } from "bun:test";
import { type BootOptions, boot, type Vm } from "./qemu.ts";

const TEST_TIMEOUT_MS = 120_000;
/** What a test may wait for a free slot and for fixtures that are made for the first time; the guest's own limit is `timeoutMs`. */
export const QUEUE_TIMEOUT_MS = 1_800_000;
const SILENCE_MS = 10_000;

/** What `vmTest` boots, with one CPU where none are asked for, as guests run side by side: the options of `boot`, or a function that makes them (fixtures are then made only when the test runs). */
export type VmTestOptions = Omit<BootOptions, "name"> & {
  /** For the whole conversation with the guest; default 120 s. */
  readonly timeoutMs?: number;
};

/**
 * A test that boots a guest, talks with it, and ends it whatever happens. Tests of a file run at once, as slots are free.
 * Where it fails, the error names the file with the console's log.
 */
export function vmTest(
  name: string,
  options: VmTestOptions | (() => VmTestOptions | Promise<VmTestOptions>),
  body: (vm: Vm) => Promise<void>,
): void {
  test.concurrent(
    name,
    async () => {
      const { timeoutMs = TEST_TIMEOUT_MS, ...bootOptions } = typeof options === "function" ? await options() : options;
      await withVm({ smp: 1, ...bootOptions, name }, timeoutMs, body);
    },
    QUEUE_TIMEOUT_MS,
  );
}

/**
 * Boots a guest for `body` and ends it afterwards; an error gets the path of the console's log. A guest that stands still
 * is booted once more, and that is said.
 */
export async function withVm(options: BootOptions, timeoutMs: number, body: (vm: Vm) => Promise<void>): Promise<void> {
  const first = await tryVm(options, timeoutMs, body);
  if (first === null) return;
  if (!first.isFrozen) throw first.error;
  console.error(`${options.name}: the guest stood still and is booted once more (${first.log})`);
  const second = await tryVm(options, timeoutMs, body);
  if (second !== null) throw second.error;
}

/** Null where all went well. */
async function tryVm(
  options: BootOptions,
  timeoutMs: number,
  body: (vm: Vm) => Promise<void>,
): Promise<{ readonly error: unknown; readonly isFrozen: boolean; readonly log: string } | null> {
  const vm = await boot(options);
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const tail = vm.log().trimEnd().split("\n").slice(-40).join("\n");
    deadline.reject(new Error(`not done after ${timeoutMs} ms. The console's last lines:\n${tail}`));
  }, timeoutMs);
  try {
    await Promise.race([body(vm), deadline.promise]);
    return null;
  } catch (error) {
    const isFrozen = standsStill(vm);
    const log = vm.keepLog();
    if (error instanceof Error) error.message += `\nconsole log: ${log}`;
    return { error, isFrozen, log };
  } finally {
    clearTimeout(timer);
    await vm.stop();
  }
}

// Where the host is short of CPU, QEMU's TCG loses a guest in some hundred boots: its kernel finds no timer, stops before
// there is an init, or nothing in it goes on any more. What levain does wrong it does twice.
function standsStill(vm: Vm): boolean {
  const log = vm.log();
  if (log.includes("Kernel panic - not syncing: IO-APIC + timer")) return true;
  return !log.includes("Kernel panic") && vm.silentMs() >= SILENCE_MS;
}

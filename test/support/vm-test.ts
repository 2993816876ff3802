import { test } from "bun:test";
import { type BootOptions, boot, type Vm } from "./qemu.ts";

const TEST_TIMEOUT_MS = 120_000;
// What a test may wait for a free slot and for fixtures that are made for the first time; the guest's own limit is TEST_TIMEOUT_MS.
const QUEUE_TIMEOUT_MS = 1_800_000;

/** What `vmTest` boots: the options of `boot`, or a function that makes them (fixtures are then made only when the test runs). */
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
      await withVm({ ...bootOptions, name }, timeoutMs, body);
    },
    QUEUE_TIMEOUT_MS,
  );
}

/** Boots a guest for `body` and ends it afterwards; an error gets the path of the console's log. */
export async function withVm(options: BootOptions, timeoutMs: number, body: (vm: Vm) => Promise<void>): Promise<void> {
  const vm = await boot(options);
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const tail = vm.log().trimEnd().split("\n").slice(-40).join("\n");
    deadline.reject(new Error(`not done after ${timeoutMs} ms. The console's last lines:\n${tail}`));
  }, timeoutMs);
  try {
    await Promise.race([body(vm), deadline.promise]);
  } catch (error) {
    if (error instanceof Error) error.message += `\nconsole log: ${vm.keepLog()}`;
    throw error;
  } finally {
    clearTimeout(timer);
    await vm.stop();
  }
}

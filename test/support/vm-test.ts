import { test } from "bun:test";
import type { BootOptions, Vm } from "./qemu.ts";
import { withVm } from "./with-vm.ts";

const TEST_TIMEOUT_MS = 120_000;
/** What a test may wait for a free slot and for fixtures that are made for the first time; the guest's own limit is `timeoutMs`. */
export const QUEUE_TIMEOUT_MS = 1_800_000;

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

import { createRuns } from "../../src/filesystems/run-apart.ts";
import type { Child } from "../../src/machine/child.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakeProcess } from "./fake-processes.ts";

/** The process that runs programs, one at a time; it answers when the program has ended. */
export function createFakeRunChild(kernel: FakeKernel, run: FakeProcess): Child {
  let tookMs = 0;
  let endDaemon: (() => void) | null = null;
  const work = createRuns({
    run(argv, { environment = {}, input = null } = {}) {
      const result = run(argv, environment, input);
      tookMs = result.tookMs ?? 0;
      endDaemon = result.onDaemonEnd ?? null;
      return { status: result.status ?? 0, output: result.output ?? "" };
    },
  });
  let answer: Uint8Array | null = null;
  let readyMs = 0;
  return {
    order(bytes) {
      answer = work(bytes);
      readyMs = kernel.nowMs + tookMs;
    },
    answer(timeoutMs) {
      kernel.waitUntil(Math.max(kernel.nowMs, Math.min(readyMs, kernel.nowMs + timeoutMs)));
      return answer === null || readyMs > kernel.nowMs ? { kind: "busy" } : { kind: "answer", bytes: answer };
    },
    hasDaemons: () => endDaemon !== null,
    stop(extent) {
      if (extent === "with daemons") endDaemon?.();
    },
  };
}

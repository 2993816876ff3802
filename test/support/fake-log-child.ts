import type { Child } from "../../src/machine/child.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { decodeJson, type LogOrder } from "../../src/rescue/saved-log/order.ts";
import { createLogWriter } from "../../src/rescue/saved-log/serve.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** The process that writes the log of a boot that failed: on a disk that hangs, nothing is written, and it never answers. */
export function createFakeLogChild(kernel: FakeKernel, machine: Machine): Child {
  const write = createLogWriter(machine);
  let order = new Uint8Array();
  let readyMs = 0;
  return {
    order(bytes) {
      order = bytes.slice();
      const { device } = decodeJson<LogOrder>(order);
      const delayMs = kernel.devices.byName(device.node.slice("/dev/".length))?.writesAfterMs ?? 0;
      readyMs = kernel.nowMs + delayMs;
    },
    answer(timeoutMs) {
      kernel.waitUntil(Math.max(kernel.nowMs, Math.min(readyMs, kernel.nowMs + timeoutMs)));
      return readyMs > kernel.nowMs ? { kind: "busy" } : { kind: "answer", bytes: write(order) };
    },
    hasDaemons: () => false,
    stop: () => undefined,
  };
}

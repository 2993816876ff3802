import type { AsyncReader } from "../../src/machine/async.ts";
import type { RandomReader } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { errnoOfRead } from "./fake-disk.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { takeAnswer } from "./fake-kernel-calls.ts";

/** A reader whose device takes its time: `openNow` opens it when it has answered. */
export function openFakeAsyncReader(kernel: FakeKernel, path: string, openNow: () => RandomReader): AsyncReader {
  const device = deviceAt(kernel, path);
  const delayMs = device?.answersAfterMs ?? 0;
  let due: { readonly atMs: number } | null = null;
  let reader: RandomReader | null = null;

  /** True when the order has been answered; sends it unless it is under way. */
  function isAnswered(timeoutMs: number): boolean {
    due ??= { atMs: kernel.nowMs + delayMs };
    kernel.answers.add(due);
    if (!takeAnswer(kernel, due, timeoutMs)) return false;
    due = null;
    return true;
  }

  function open(timeoutMs: number): RandomReader | null {
    if (reader === null && isAnswered(timeoutMs)) reader = openNow();
    return reader;
  }

  return {
    size: (timeoutMs) => open(timeoutMs)?.size ?? null,
    read(places, timeoutMs) {
      const opened = open(timeoutMs);
      if (opened === null || !isAnswered(timeoutMs)) return null;
      return places.map(({ offset, length }) => {
        const refusal = errnoOfRead(device, offset);
        return refusal === undefined ? opened.read(offset, length) : new SyscallError("read", refusal, path);
      });
    },
    close() {
      if (due !== null) kernel.answers.delete(due);
      reader?.close();
    },
  };
}

function deviceAt(kernel: FakeKernel, path: string) {
  try {
    const { node } = kernel.namespace.find(path, "open");
    return node.kind === "block" ? kernel.devices.byNumber(node.number) : undefined;
  } catch (error) {
    if (error instanceof SyscallError) return;
    throw error;
  }
}

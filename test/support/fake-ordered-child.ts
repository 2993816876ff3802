import type { Child } from "../../src/machine/child.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** A process that answers each order after some time. `begin` returns the milliseconds, and what the answer is then. */
export function fakeOrderedChild(
  kernel: FakeKernel,
  begin: (order: Uint8Array) => { readonly takesMs: number; readonly answer: () => Uint8Array },
): Child {
  let due: { readonly atMs: number; readonly answer: () => Uint8Array } | null = null;
  return {
    order(bytes) {
      const { takesMs, answer } = begin(bytes);
      due = { atMs: kernel.nowMs + takesMs, answer };
    },
    answer() {
      if (due === null || due.atMs > kernel.nowMs) return { kind: "busy" };
      const bytes = due.answer();
      due = null;
      return { kind: "answer", bytes };
    },
    hasDaemons: () => false,
    stop: () => undefined,
  };
}

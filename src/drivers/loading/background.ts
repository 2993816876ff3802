import type { Clock } from "../../machine/machine.ts";
import { isOver, type Steps, type Wait } from "./steps.ts";

/** Loading that goes on while something else is waited for: one module after the other. */
export interface Background {
  /** Does this after all that was added before. */
  add(steps: () => Steps<unknown>): void;
  isUnderWay(): boolean;
  /** Does what can be done without waiting, up to the next module. Returns the milliseconds until there is more to do even if the kernel has not answered. */
  advance(): number;
  /** Does all that is left, and waits for each module; false if nothing was. */
  finish(): boolean;
}

/** Creates it with nothing to do. */
export function createBackground({ nowMs }: Pick<Clock, "nowMs">): Background {
  const queue: (() => Steps<unknown>)[] = [];
  let steps: Steps<unknown> | null = null;
  let wait: (Wait & { readonly endMs: number }) | null = null;

  const isUnderWay = () => steps !== null || queue.length > 0;

  /** Begins to load the next module; false if none is left. */
  function begin(): boolean {
    for (;;) {
      steps ??= queue.shift()?.() ?? null;
      if (steps === null) return false;
      const next = steps.next();
      if (next.done !== true) {
        wait = { ...next.value, endMs: nowMs() + next.value.patienceMs };
        return true;
      }
      steps = null;
    }
  }

  /** Milliseconds for which the module that is being loaded is still waited for. */
  const leftMs = () => (wait === null || isOver(wait, 0) ? 0 : Math.max(0, wait.endMs - nowMs()));

  return {
    add: (more) => void queue.push(more),
    isUnderWay,
    advance() {
      const waitMs = leftMs();
      if (waitMs > 0) return waitMs;
      wait = null;
      return begin() ? leftMs() : Number.POSITIVE_INFINITY;
    },
    finish() {
      if (!isUnderWay()) return false;
      do {
        if (wait !== null) isOver(wait, leftMs());
        wait = null;
      } while (begin());
      return true;
    },
  };
}

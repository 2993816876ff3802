import type { PendingModule } from "../../machine/kernel.ts";

/** A module that the kernel loads, and how long to wait for it. */
export interface Wait {
  readonly pending: PendingModule;
  /** Infinite for a module that something needs as soon as it is loaded. */
  readonly patienceMs: number;
}

/** Loading that stops for each module, so that it can be waited for, or continued when the kernel has answered. */
export type Steps<T> = Generator<Wait, T, void>;

/** Returns true if the kernel has loaded or refused the module. */
export function isOver({ pending }: Wait, timeoutMs: number): boolean {
  try {
    return pending.isDone(timeoutMs);
  } catch {
    return true; // the caller gets the same error with the result
  }
}

/** Does all steps, and waits for each module as long as it asks for. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
    isOver(next.value, next.value.patienceMs);
  }
}

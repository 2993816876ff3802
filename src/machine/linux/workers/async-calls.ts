import { orIfRefused } from "../../../problems/errors.ts";
import type { AsyncReader } from "../../machine.ts";
import { createReader } from "./reader.ts";
import { type Answer, type Order, startWorker, type Worker } from "./worker.ts";

/** Enough for a close, and less than the start of a process. */
const CLOSE_MS = 2;

/** The calls that other processes make. */
export interface AsyncCalls {
  /** null: this program cannot start workers. */
  openReader(path: string): AsyncReader | null;
  /** Has a worker carry out the order; null if it takes longer than `patienceMs`, "alone" if there is no worker to do it. */
  carryOut(order: Order, patienceMs: number): Answer | null | "alone";
  /** The sockets on which an answer for a reader will come. */
  sockets(): readonly number[];
}

/** Creates it. Workers are kept for the next call; one that is busy with a device is left to it. */
export function createAsyncCalls(): AsyncCalls {
  const idle: Worker[] = [];
  const closing = new Set<Worker>();
  const waiting = new Set<Worker>();

  /** Takes back the workers whose last order is done. A device may take its time also for being closed, but most do not. */
  function collect(): void {
    const newest = [...closing].at(-1);
    for (const worker of closing) {
      const waitMs = worker === newest && idle.length === 0 ? CLOSE_MS : 0;
      const isDone = orIfRefused(() => worker.answer(waitMs) !== null, "gone");
      if (isDone === false) continue;
      closing.delete(worker);
      if (isDone === true) idle.push(worker);
      else worker.dismiss();
    }
  }

  /** Without workers, which need memory and a process, levain does its calls itself. */
  function takeWorker(): Worker | null {
    collect();
    return idle.pop() ?? orIfRefused(startWorker, null);
  }

  return {
    openReader(path) {
      const worker = takeWorker();
      if (worker === null) return null;
      return createReader(path, worker, {
        wait: (isWaiting) => void (isWaiting ? waiting.add(worker) : waiting.delete(worker)),
        release(lastOrder) {
          waiting.delete(worker);
          if (lastOrder === null) worker.dismiss();
          else {
            worker.order(lastOrder);
            closing.add(worker);
          }
        },
      });
    },
    carryOut(order, patienceMs) {
      const worker = takeWorker();
      if (worker === null) return "alone";
      worker.order(order);
      const answer = worker.answer(patienceMs);
      if (answer === null) closing.add(worker);
      else idle.push(worker);
      return answer;
    },
    sockets: () => [...waiting].map(({ socket }) => socket),
  };
}

import { orIfRefused } from "../../../problems/errors.ts";
import type { AsyncReader, OpenOptions } from "../../async.ts";
import { createReader } from "./reader.ts";
import { type Answer, type Order, startWorker, type Worker } from "./worker.ts";

/** A device that is open cannot be removed, which may be the next thing that the boot does with a mapping. */
const CLOSE_MS = 50;

/** The calls that other processes make. */
export interface AsyncCalls {
  /** null: this program cannot start workers. */
  openReader(path: string, options: OpenOptions): AsyncReader | null;
  /** Has a worker carry out the order; null if it takes longer than `patienceMs`, "alone" if there is no worker to do it. */
  carryOut(order: Order, patienceMs: number): Answer | null | "alone";
  /** Says whether an answer of this worker ends a wait for events. */
  watch(worker: Worker, isWaiting: boolean): void;
  /** The sockets on which an answer will come. */
  sockets(): readonly number[];
}

/** Creates it. Workers are kept for the next call; one that is busy with a device is left to it. `program` as in `startWorker`. */
export function createAsyncCalls(program?: string): AsyncCalls {
  const idle: Worker[] = [];
  const closing = new Set<Worker>();
  const waiting = new Set<Worker>();

  /** Takes back the workers whose last order is done by now. */
  function collect(): void {
    for (const worker of closing) {
      const isDone = orIfRefused(() => worker.answer(0) !== null, "gone");
      if (isDone === false) continue;
      closing.delete(worker);
      if (isDone === true) idle.push(worker);
      else worker.dismiss();
    }
  }

  /** Gives a worker an order and waits for the answer; null if it takes longer than `patienceMs`. */
  function finish(worker: Worker, order: Order, patienceMs: number): Answer | null {
    worker.order(order);
    const answer = worker.answer(patienceMs);
    if (answer === null) closing.add(worker);
    else idle.push(worker);
    return answer;
  }

  /** Without workers, which need memory and a process, levain does its calls itself. */
  function takeWorker(): Worker | null {
    collect();
    return idle.pop() ?? orIfRefused(() => startWorker(program), null);
  }

  const watch = (worker: Worker, isWaiting: boolean) => void (isWaiting ? waiting.add(worker) : waiting.delete(worker));

  return {
    openReader(path, options) {
      const worker = takeWorker();
      if (worker === null) return null;
      waiting.add(worker);
      return createReader(path, options, worker, {
        wait: (isWaiting) => watch(worker, isWaiting),
        release(lastOrder) {
          waiting.delete(worker);
          if (lastOrder === null) worker.dismiss();
          else finish(worker, lastOrder, CLOSE_MS);
        },
      });
    },
    carryOut(order, patienceMs) {
      const worker = takeWorker();
      if (worker === null) return "alone";
      return finish(worker, order, patienceMs);
    },
    watch,
    sockets: () => [...waiting].map(({ socket }) => socket),
  };
}

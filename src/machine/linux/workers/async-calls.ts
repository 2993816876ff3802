import { orIfRefused, SyscallError } from "../../../problems/errors.ts";
import type { AsyncReader, OpenOptions } from "../../async.ts";
import { createReader } from "./reader.ts";
import { type Answer, type Order, startWorker, takeFirstWorker, type Worker } from "./worker.ts";

/** A device that is open cannot be removed, which may be the next thing that the boot does with a mapping. */
const CLOSE_MS = 50;
/** A worker that still closes a device is nearly always done before another could be started. */
const LINGER_MS = 5;

/** An order that a worker carries out. */
export interface PendingAnswer {
  /** null if it has not come within `timeoutMs`. Throws SyscallError EPIPE if the worker is gone. */
  answer(timeoutMs: number): Answer | null;
}

/** The calls that other processes make. */
export interface AsyncCalls {
  /** null: this program cannot start workers. */
  openReader(path: string, options: OpenOptions): AsyncReader | null;
  /** Has a worker carry out the order; null if it takes longer than `patienceMs`, "alone" if there is no worker to do it. */
  carryOut(order: Order, patienceMs: number): Answer | null | "alone";
  /** Gives the order to a worker; null if there is none to do it. `onAnswer` is called when the answer has come, or the worker is gone. */
  start(order: Order, onAnswer?: () => void): PendingAnswer | null;
  /** Takes the answers of `start` that have come and keeps them, so that each ends a wait only once, also if its result is never read. */
  hear(): void;
  /** Ends a worker that is busy; `onEnd` is called by a later `hear`, when its process is over. */
  abandon(worker: Worker, onEnd: () => void): void;
  /** Says whether an answer of this worker ends a wait for events. */
  watch(worker: Worker, isWaiting: boolean): void;
  /** The sockets on which an awaited answer will come. */
  sockets(): readonly number[];
}

/** Creates it. Workers are kept for the next call; one that is busy with a device is left to it. `program` as in `startWorker`. */
export function createAsyncCalls(program?: string): AsyncCalls {
  const pool = createPool(program);
  const waiting = new Set<Worker>();
  const started = new Set<PendingAnswer>();
  const watch = (worker: Worker, isWaiting: boolean) => void (isWaiting ? waiting.add(worker) : waiting.delete(worker));
  return {
    openReader(path, options) {
      const worker = pool.take();
      if (worker === null) return null;
      waiting.add(worker);
      return createReader(path, options, worker, {
        wait: (isWaiting) => watch(worker, isWaiting),
        release(lastOrder) {
          waiting.delete(worker);
          if (lastOrder === null) worker.dismiss();
          else if (lastOrder === "closed") pool.giveBack(worker);
          else if (options.mayLinger === true) pool.finishLater(worker, lastOrder);
          else pool.finish(worker, lastOrder, CLOSE_MS);
        },
      });
    },
    start(order, onAnswer) {
      const worker = pool.take();
      if (worker === null) return null;
      worker.order(order);
      waiting.add(worker);
      const pending = createPendingAnswer(worker, (isGone) => {
        started.delete(pending);
        waiting.delete(worker);
        if (isGone) worker.dismiss();
        else pool.giveBack(worker);
        onAnswer?.();
      });
      started.add(pending);
      return pending;
    },
    abandon(worker, onEnd) {
      worker.kill();
      waiting.add(worker);
      const pending = createPendingAnswer(worker, () => {
        started.delete(pending);
        waiting.delete(worker);
        worker.dismiss();
        onEnd();
      });
      started.add(pending);
    },
    hear() {
      for (const pending of started) orIfRefused(() => pending.answer(0), null);
    },
    carryOut(order, patienceMs) {
      const worker = pool.take();
      if (worker === null) return "alone";
      return pool.finish(worker, order, patienceMs);
    },
    watch,
    sockets: () => [...waiting].map(({ socket }) => socket),
  };
}

function createPool(program?: string) {
  const first = takeFirstWorker();
  const idle: Worker[] = first === null ? [] : [first];
  const closing = new Set<Worker>();
  let latest: Worker | null = null;

  /** Takes back a worker whose last order is done within `waitMs`. */
  function collect(worker: Worker, waitMs: number): void {
    const isDone = orIfRefused(() => worker.answer(waitMs) !== null, "gone");
    if (isDone === false) return;
    closing.delete(worker);
    if (isDone === true) idle.push(worker);
    else worker.dismiss();
  }

  return {
    /** null: without workers, which need memory and a process, levain does its calls itself. */
    take(): Worker | null {
      for (const worker of closing) collect(worker, 0);
      if (idle.length === 0 && latest !== null && closing.has(latest)) collect(latest, LINGER_MS);
      latest = null;
      return idle.pop() ?? orIfRefused(() => startWorker(program), null);
    },
    giveBack: (worker: Worker) => void idle.push(worker),
    /** Gives a worker an order whose answer nothing waits for. */
    finishLater(worker: Worker, order: Order): void {
      worker.order(order);
      closing.add(worker);
      latest = worker;
    },
    /** Gives a worker an order and waits for the answer; null if it takes longer than `patienceMs`. */
    finish(worker: Worker, order: Order, patienceMs: number): Answer | null {
      worker.order(order);
      const answer = worker.answer(patienceMs);
      if (answer === null) closing.add(worker);
      else idle.push(worker);
      return answer;
    },
  };
}

/** Keeps the answer, which comes once; `release` is called when it has come, or the worker is gone. */
function createPendingAnswer(worker: Worker, release: (isGone: boolean) => void): PendingAnswer {
  let known: Answer | "gone" | null = null;
  return {
    answer(timeoutMs) {
      if (known === null) {
        known = orIfRefused(() => worker.answer(timeoutMs), "gone");
        if (known !== null) release(known === "gone");
      }
      if (known === "gone") throw new SyscallError("read", "EPIPE", "worker");
      return known;
    },
  };
}

import { SyscallError } from "../../../problems/errors.ts";
import { CDS_NO_DISC, CDS_TRAY_OPEN } from "../../abi.ts";
import type { AsyncReader, OpenOptions } from "../../async.ts";
import type { RandomReader } from "../../machine.ts";
import { closeOrder, openOrder, readOrder } from "./orders.ts";
import type { Answer, Order, Worker } from "./worker.ts";

/** The most that one order reads: the head of a device, which the probe reads first, is less. */
const READ_BYTES = 64 << 10;

/** States of a drive without a disc. One that is not ready yet is read all the same: its disc spins up. */
const EMPTY_STATES: readonly unknown[] = [CDS_NO_DISC, CDS_TRAY_OPEN];

/** What a reader does with its worker. */
export interface Pool {
  /** Says whether an answer is awaited; at first one is. */
  wait(isWaiting: boolean): void;
  /** With the order that closes the descriptor; null: the worker is busy, so its end closes it. */
  release(lastOrder: Order | null): void;
}

/** A read that is under way: what has come of it so far. */
interface Progress {
  readonly offset: number;
  readonly bytes: Uint8Array;
  done: number;
}

/** Creates the reader of a file or device, which `worker` opens and reads. */
export function createReader(path: string, options: OpenOptions, worker: Worker, pool: Pool): AsyncReader {
  worker.order(openOrder(path, options)); // at once, so that devices are opened at the same time
  let isBusy = true;
  let file: { readonly fd: number; readonly size: number } | null = null;
  let refusal: SyscallError | null = null;
  let progress: Progress | null = null;

  /** Sends the order unless it is under way, and waits for its answer. */
  function ask(makeOrder: () => Order, timeoutMs: number): Answer | null {
    if (!isBusy) worker.order(makeOrder());
    const answer = worker.answer(timeoutMs);
    isBusy = answer === null;
    pool.wait(isBusy);
    return answer;
  }

  function open(timeoutMs: number): typeof file {
    if (refusal !== null) throw refusal;
    if (file !== null) return file;
    const answer = ask(() => openOrder(path, options), timeoutMs);
    if (answer === null) return null;
    const [fd = "EIO", size] = answer.results;
    if (typeof fd === "number") file = { fd, size: typeof size === "number" ? size : 0 };
    const code = typeof fd === "string" ? fd : objectToMedium(answer, options);
    refusal = code === null ? null : new SyscallError("open", code, path);
    return open(0);
  }

  /** Reads a part; null if the device has not answered. */
  function readPart(fd: number, offset: number, length: number, timeoutMs: number): Uint8Array | null {
    const answer = ask(() => readOrder(fd, offset, length), timeoutMs);
    const count = answer?.results[0] ?? null;
    if (typeof count === "string") throw new SyscallError("read", count, path);
    return count === null ? null : (answer?.data.subarray(0, count) ?? null);
  }

  /** Continues a read; false if the device has not answered. */
  function fill(fd: number, current: Progress, timeoutMs: number): boolean {
    while (current.done < current.bytes.length) {
      const length = Math.min(READ_BYTES, current.bytes.length - current.done);
      const part = readPart(fd, current.offset + current.done, length, timeoutMs);
      if (part === null) return false;
      if (part.length === 0) break;
      current.bytes.set(part, current.done);
      current.done += part.length;
    }
    return true;
  }

  return {
    size: (timeoutMs) => open(timeoutMs)?.size ?? null,
    read(offset, length, timeoutMs) {
      const opened = open(timeoutMs);
      if (opened === null) return null;
      const wanted = Math.max(0, Math.min(length, opened.size - offset));
      progress ??= { offset, bytes: new Uint8Array(new ArrayBuffer(wanted)), done: 0 };
      if (progress.offset !== offset || progress.bytes.length !== wanted) {
        throw new Error(`${path}: another read is under way`);
      }
      const current = progress;
      progress = null; // a refused read is over
      if (fill(opened.fd, current, timeoutMs)) return current.bytes.subarray(0, current.done);
      progress = current;
      return null;
    },
    close: () => pool.release(isBusy ? null : closeOrder(file?.fd ?? null)),
  };
}

function objectToMedium({ results }: Answer, { isOptical = false }: OpenOptions): string | null {
  return isOptical && EMPTY_STATES.includes(results[3]) ? "ENOMEDIUM" : null;
}

/** A reader for a program without workers: it waits as long as the device does. */
export function createBlockingReader(open: () => RandomReader): AsyncReader {
  let reader: RandomReader | null = null;
  const opened = () => (reader ??= open());
  return {
    size: () => opened().size,
    read: (offset, length) => opened().read(offset, length),
    close: () => reader?.close(),
  };
}

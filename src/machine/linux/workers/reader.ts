import { SyscallError } from "../../../problems/errors.ts";
import { CDS_NO_DISC, CDS_TRAY_OPEN } from "../../abi/constants.ts";
import type { AsyncReader, OpenOptions, ReadPlace } from "../../async.ts";
import type { RandomReader } from "../../machine.ts";
import { CALLS_TO_OPEN, closeOrder, openOrder, readOrder, reopenOrder } from "./orders.ts";
import { countInOrder, fittingPlaces, joinPieces, type Result, splitPlace } from "./pieces.ts";
import type { Answer, Order, Worker } from "./worker.ts";

/** States of a drive without a disc. One that is not ready yet is read all the same: its disc spins up. */
const EMPTY_STATES: readonly unknown[] = [CDS_NO_DISC, CDS_TRAY_OPEN];

/** What a reader does with its worker. */
export interface Pool {
  /** Says whether an answer is awaited; at first one is. */
  wait(isWaiting: boolean): void;
  /** With the order that closes the descriptor; "closed": nothing is open; null: the worker is busy, so its end closes it. */
  release(lastOrder: Order | "closed" | null): void;
}

/** A read that is under way: what has come of it so far. */
interface Progress {
  readonly wanted: readonly ReadPlace[];
  readonly done: Result[];
}

/** Creates the reader of a file or device, which `worker` opens and reads. */
export function createReader(path: string, options: OpenOptions, worker: Worker, pool: Pool): AsyncReader {
  let isBusy = true;
  let progress: Progress | null = null;

  /** Sends the order unless it is under way, and waits for its answer. */
  function ask(makeOrder: () => Order, timeoutMs: number): Answer | null {
    if (!isBusy) worker.order(makeOrder());
    const answer = worker.answer(timeoutMs);
    isBusy = answer === null;
    pool.wait(isBusy);
    return answer;
  }

  /** Reads as many pieces as fit into one order; null if the device has not answered. Without a descriptor it opens and closes the device. */
  function readSome(fd: number | null, pieces: readonly ReadPlace[], timeoutMs: number): readonly Result[] | null {
    const some = pieces.slice(0, countInOrder(pieces));
    const order = () => (fd === null ? reopenOrder(path, some) : readOrder(fd, some));
    const answer = ask(order, timeoutMs);
    if (answer === null) return null;
    if (fd === null) throwIfRefused(path, answer);
    return toResults(path, answer, some, fd === null ? CALLS_TO_OPEN : 0);
  }

  const opening = createOpening(path, options, ask);
  worker.order(opening.order()); // at once, so that devices are opened at the same time
  return {
    size: (timeoutMs) => opening.open(timeoutMs)?.size ?? null,
    read(places, timeoutMs) {
      const opened = opening.open(timeoutMs);
      if (opened === null) return null;
      const whole = progress === null ? opening.takeWhole(places) : null;
      if (whole !== null) return whole;
      const pieces = places.map((place) => splitPlace(place, opened.size));
      const wanted = pieces.flat();
      progress ??= { wanted, done: opening.takeFirst(wanted, opened.size) };
      const { done } = progress;
      if (!Bun.deepEquals(progress.wanted, wanted)) throw new Error(`${path}: another read is under way`);
      while (done.length < wanted.length) {
        const some = readSome(opened.fd, wanted.slice(done.length), timeoutMs);
        if (some === null) return null;
        done.push(...some);
      }
      progress = null;
      return pieces.map(({ length }) => joinPieces(done.splice(0, length)));
    },
    close: () => pool.release(isBusy ? null : closing(opening.fd())),
  };
}

/** Opens the file with the first call; `ask` sends the order, and waits. */
function createOpening(
  path: string,
  { isOptical = false, first: given = [], isBrief = false }: OpenOptions,
  ask: (makeOrder: () => Order, timeoutMs: number) => Answer | null,
) {
  // An empty drive is not read.
  const places = isOptical ? [] : fittingPlaces(given);
  const options = { isOptical, first: places, isBrief: isBrief && !isOptical };
  /** `fd`: null if it is closed again. */
  let file: { readonly fd: number | null; readonly size: number } | null = null;
  let refusal: SyscallError | null = null;
  /** What was read when the file was opened, until it is asked for. */
  let first: readonly Result[] = [];

  function take(answer: Answer): void {
    const [fd = "EIO", size] = answer.results;
    // If the first place cannot be read, the worker stops before the close.
    const isClosed = options.isBrief && answer.results.at(-1) === 0;
    if (typeof fd === "number") file = { fd: isClosed ? null : fd, size: typeof size === "number" ? size : 0 };
    const code = typeof fd === "string" ? fd : objectToMedium(answer, options);
    refusal = code === null ? null : new SyscallError("open", code, path);
    first = toResults(path, answer, places, CALLS_TO_OPEN);
  }

  const order = () => openOrder(path, options);
  return {
    order,
    /** null if the device has not answered within `timeoutMs`; throws what the kernel refused. */
    open(timeoutMs: number): typeof file {
      const answer = file === null && refusal === null ? ask(order, timeoutMs) : null;
      if (answer !== null) take(answer);
      if (refusal !== null) throw refusal;
      return file;
    },
    /** Returns the bytes that came when the file was opened, once, as far as they are what is wanted first. */
    takeFirst(wanted: readonly ReadPlace[], size: number): Result[] {
      const isOther = ({ offset, length }: ReadPlace, index: number) => {
        const place = places[index];
        return place?.offset !== offset || Math.min(place.length, Math.max(0, size - offset)) !== length;
      };
      const count = wanted.findIndex(isOther);
      const results = first.slice(0, count < 0 ? wanted.length : count);
      first = [];
      return results;
    },
    /** Returns the same for all places that were read when the file was opened; null if these are others. Of hundreds of disks, they are these. */
    takeWhole(wanted: readonly ReadPlace[]): readonly Result[] | null {
      if (wanted !== places || first.length !== wanted.length) return null;
      const results = first;
      first = [];
      return results;
    },
    fd: () => file?.fd ?? null,
  };
}

const closing = (fd: number | null) => (fd === null ? "closed" : closeOrder(fd));

function throwIfRefused(path: string, { results: [fd] }: Answer): void {
  if (typeof fd === "string") throw new SyscallError("open", fd, path);
}

/** The bytes of these places, whose results begin with that of call `from`. */
function toResults(path: string, { results, data }: Answer, places: readonly ReadPlace[], from: number): Result[] {
  let at = 0;
  return places.map(({ length }, index) => {
    const count = results[from + index] ?? "EIO";
    const start = at;
    at += length;
    return typeof count === "string" ? new SyscallError("read", count, path) : data.subarray(start, start + count);
  });
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
    read: (places) => places.map(({ offset, length }) => resultOf(() => opened().read(offset, length))),
    close: () => reader?.close(),
  };
}

function resultOf(read: () => Uint8Array): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyscallError) return error;
    throw error;
  }
}

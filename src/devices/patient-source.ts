import type { ByteSource } from "../formats/facts.ts";
import type { AsyncReader, OpenOptions, ReadPlace } from "../machine/async.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno, SyscallError } from "../problems/errors.ts";

/** Thrown where a probe needs bytes that the device has not returned yet. The probe is repeated when they are there. */
export class NoAnswerError extends Error {}

/** For how many answers of a device a call may wait. */
export type Most = "one answer" | "all answers";

/** A device that has answered answers the next calls too, as a rule: the probe need not be repeated for each of them. */
const AFTER_ANSWER_MS = 100;

/** The bytes of a device that takes its time. What it has returned is kept, so that a probe that is repeated asks for nothing twice. */
export interface PatientSource {
  /** Sets how long the calls from here on may wait for the device, all of them together; "one answer": not after its first one. */
  allow(waitMs: number, most: Most): void;
  /** Throws NoAnswerError, or SyscallError if the device cannot be opened. */
  size(): number;
  /**
   * Calls `use`, again and again until it reads only what the device has returned: other places are zeros at first, and are then
   * read all at once. `use` sees a refusal as a SyscallError. Throws NoAnswerError, or SyscallError if the device is gone.
   */
  gather<T>(use: (read: ByteSource["read"]) => T): T;
  /** The first refusal of a read. */
  refusal(): SyscallError | undefined;
  /** How many answers the device has given. */
  answers(): number;
  /** How many bytes the device has returned. */
  bytesRead(): number;
  close(): void;
}

const keyOf = ({ offset, length }: ReadPlace) => `${offset} ${length}`;

/** Creates the source of the device at `node`, which another process opens with the first call. */
export function createPatientSource(machine: Machine, node: string, options: OpenOptions): PatientSource {
  const answers = new Map<string, Uint8Array | SyscallError>();
  let reader: AsyncReader | null = null;
  let knownSize: number | null = null;
  let leftMs = 0;
  let afterAnswerMs = 0;
  let isForOne = false;
  let answerCount = 0;
  /** The places of a read that the device has not answered yet. */
  let underWay: readonly ReadPlace[] | null = null;

  /** Counts only the time of the device: on a slow CPU the probe itself takes longer. */
  function ask<T>(call: (reader: AsyncReader, timeoutMs: number) => T | null): T {
    const startMs = machine.nowMs();
    reader ??= machine.openAsyncReader(node, options);
    const answer = call(reader, leftMs);
    if (answer === null) throw new NoAnswerError();
    answerCount += 1;
    leftMs = isForOne ? 0 : Math.max(0, leftMs - (machine.nowMs() - startMs), afterAnswerMs);
    afterAnswerMs = 0;
    return answer;
  }

  /** Reads all places at once: of a slow device each answer takes its time. */
  function fetch(places: readonly ReadPlace[]): void {
    underWay = places;
    const results = ask((from, timeoutMs) => from.read(places, timeoutMs));
    underWay = null;
    for (const [index, result] of results.entries()) {
      // A device that is gone is not one that cannot be read.
      if (isErrno(result, "ENODEV", "ENXIO")) throw result;
      const place = places[index];
      if (place !== undefined) answers.set(keyOf(place), result);
    }
  }

  return {
    allow(waitMs, most) {
      leftMs = waitMs;
      afterAnswerMs = AFTER_ANSWER_MS;
      isForOne = most === "one answer";
    },
    size: () => (knownSize ??= ask((from, timeoutMs) => from.size(timeoutMs))),
    gather(use) {
      if (underWay !== null) fetch(underWay);
      for (;;) {
        const missing: ReadPlace[] = [];
        const result = use((offset, length) => {
          const answer = answers.get(keyOf({ offset, length }));
          if (answer instanceof SyscallError) throw answer;
          if (answer === undefined) missing.push({ offset, length });
          return answer ?? new Uint8Array(length);
        });
        if (missing.length === 0) return result;
        fetch(missing);
      }
    },
    refusal: () => answers.values().find((answer) => answer instanceof SyscallError),
    answers: () => answerCount,
    bytesRead: () =>
      answers.values().reduce((sum, answer) => sum + (answer instanceof Uint8Array ? answer.length : 0), 0),
    close: () => reader?.close(),
  };
}

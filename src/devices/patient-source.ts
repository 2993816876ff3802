import type { ByteSource } from "../formats/facts.ts";
import { type AsyncReader, isSamePlace, type OpenOptions, type ReadPlace } from "../machine/async.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno, SyscallError } from "../problems/errors.ts";
import { HEAD_BYTES } from "./read-habit.ts";

/** Thrown where a probe needs bytes that the device has not returned yet. The probe is repeated when they are there. */
export class NoAnswerError extends Error {}

/** For how many answers of a device a call may wait. */
export type AnswerLimit = "one answer" | "all answers";

/** A device that has answered answers the next calls too, as a rule: the probe need not be repeated for each of them. */
const AFTER_ANSWER_MS = 100;

/** The bytes of a device that takes its time. What it has returned is kept, so that a probe that is repeated asks for nothing twice. */
export interface PatientSource {
  /** Sets how long the calls from here on may wait for the device, all of them together; "one answer": not after its first one. */
  allow(waitMs: number, limit: AnswerLimit): void;
  /** Asks for the first answer, without a wait for it. */
  begin(): void;
  /** Asks once more, by another process, for what the device has not answered. */
  askAgain(): void;
  /** Throws NoAnswerError, or SyscallError if the device cannot be opened. */
  size(): number;
  /**
   * Calls `use`, again and again until it reads only what the device has returned: other places are zeros at first, and are then
   * read all at once. `use` sees a refusal as a SyscallError. Throws NoAnswerError, or SyscallError if the device is gone.
   */
  gather<T>(use: (read: ByteSource["read"]) => T): T;
  /** The first refusal of a read. */
  refusal(): SyscallError | undefined;
  answers(): number;
  bytesRead(): number;
  close(): void;
}

type Answer = Uint8Array | SyscallError;

/** What a place holds until the device has answered. A probe changes nothing of what it reads, and fresh memory for each of 500 heads costs as much as they. */
const ZEROS = new Uint8Array(HEAD_BYTES);
const zeros = (length: number) => (length > ZEROS.length ? new Uint8Array(length) : ZEROS.subarray(0, length));

/** Creates the places that were read, with their answers. By numbers: a text for each place costs more than all else of a probe that is repeated. */
function createAnswers() {
  const known = new Map<number, { readonly length: number; readonly answer: Answer }[]>();
  const all: Answer[] = [];
  /** What was read in advance. It is mostly asked for in its order, so that nothing is looked up. */
  let [places, ahead, next]: [readonly ReadPlace[], readonly Answer[], number] = [[], [], 0];

  function findAhead(offset: number, length: number): Answer | undefined {
    const place = places[next];
    if (place === undefined || place.offset !== offset || place.length !== length)
      next = places.findIndex((one) => one.offset === offset && one.length === length);
    const answer = next < 0 ? undefined : ahead[next];
    next += 1;
    return isUntried(answer) ? undefined : answer;
  }

  function add({ offset, length }: ReadPlace, answer: Answer | undefined): void {
    if (answer === undefined || isUntried(answer)) return;
    all.push(answer);
    const others = known.get(offset);
    if (others === undefined) known.set(offset, [{ length, answer }]);
    else others.push({ length, answer });
  }

  return {
    list: () => [...ahead.filter((answer) => !isUntried(answer)), ...all],
    find: (offset: number, length: number) =>
      findAhead(offset, length) ?? known.get(offset)?.find((one) => one.length === length)?.answer,
    add(given: readonly ReadPlace[], answers: readonly Answer[]): void {
      // A device that is gone is not one that cannot be read.
      const gone = answers.find((answer) => answer instanceof SyscallError && isErrno(answer, "ENODEV", "ENXIO"));
      if (gone !== undefined) throw gone;
      if (places.length === 0) [places, ahead] = [given, answers];
      else for (const [index, place] of given.entries()) add(place, answers[index]);
    },
  };
}

/** It was not read, because an earlier one was refused. */
const isUntried = (answer: Answer | undefined) => answer instanceof SyscallError && answer.code === "ECANCELED";

/** Creates the source of the device at `node`, which another process opens with the first call. */
export function createPatientSource(machine: Machine, node: string, options: OpenOptions): PatientSource {
  const { ask, ...rest } = createAsker(machine, node, options);
  const answers = createAnswers();
  let knownSize: number | null = null;
  /** The places of a read that the device has not answered yet. */
  let underWay: readonly ReadPlace[] | null = null;
  /** What comes with the answer to the call that opens the device, until it is taken. */
  let first = options.first ?? [];

  /** Reads all places at once: of a slow device each answer takes its time. */
  function fetch(places: readonly ReadPlace[]): void {
    underWay = places;
    first = [];
    const results = ask((from, timeoutMs) => from.read(places, timeoutMs));
    underWay = null;
    answers.add(places, results);
  }

  return {
    ...rest,
    size: () => (knownSize ??= ask((from, timeoutMs) => from.size(timeoutMs))),
    gather(use) {
      if (underWay !== null) fetch(underWay);
      for (;;) {
        const missing: ReadPlace[] = [];
        const result = use((offset, length) => {
          const answer = answers.find(offset, length);
          if (answer instanceof SyscallError) throw answer;
          if (answer === undefined) missing.push({ offset, length });
          return answer ?? zeros(length);
        });
        if (missing.length === 0) return result;
        const isFirst = (place: ReadPlace) => first.some((known) => isSamePlace(known, place));
        const others = missing.filter((place) => !isFirst(place));
        fetch(others.length === 0 ? first : [...first, ...others]);
      }
    },
    refusal: () => answers.list().find((answer) => answer instanceof SyscallError),
    bytesRead: () =>
      answers.list().reduce((sum, answer) => sum + (answer instanceof Uint8Array ? answer.length : 0), 0),
  };
}

/** Creates what asks the device, and waits for its answers as long as it is allowed to. */
function createAsker(machine: Machine, node: string, options: OpenOptions) {
  let reader: AsyncReader | null = null;
  let leftMs = 0;
  let afterAnswerMs = 0;
  let isForOne = false;
  let answerCount = 0;
  /** True while an answer is owed. */
  let isAsked = false;

  function open(): AsyncReader {
    isAsked = true;
    reader ??= machine.openAsyncReader(node, options);
    return reader;
  }

  return {
    /** Counts only the time of the device: on a slow CPU the probe itself takes longer. */
    ask<T>(call: (reader: AsyncReader, timeoutMs: number) => T | null): T {
      const startMs = machine.nowMs();
      const answer = call(open(), leftMs);
      if (answer === null) throw new NoAnswerError();
      isAsked = false;
      answerCount += 1;
      leftMs = isForOne ? 0 : Math.max(0, leftMs - (machine.nowMs() - startMs), afterAnswerMs);
      afterAnswerMs = 0;
      return answer;
    },
    allow(waitMs: number, limit: AnswerLimit): void {
      leftMs = waitMs;
      afterAnswerMs = AFTER_ANSWER_MS;
      isForOne = limit === "one answer";
    },
    begin: () => void open(),
    askAgain(): void {
      if (!isAsked) return;
      reader?.close();
      reader = null;
    },
    answers: () => answerCount,
    close: () => reader?.close(),
  };
}

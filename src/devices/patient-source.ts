import type { AsyncReader, OpenOptions } from "../machine/async.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno, SyscallError } from "../problems/errors.ts";

/** Thrown where a probe needs bytes that the device has not returned yet. The probe is repeated when they are there. */
export class NoAnswerError extends Error {}

/** The bytes of a device that takes its time. What it has returned is kept, so that a probe that is repeated asks for nothing twice. */
export interface PatientSource {
  /** Sets how long the calls from here on may wait for the device, all of them together. */
  allow(waitMs: number): void;
  /** Throws NoAnswerError, or SyscallError if the device cannot be opened. */
  size(): number;
  /** Throws NoAnswerError or SyscallError. */
  read(offset: number, length: number): Uint8Array;
  /** The first refusal of a read. */
  refusal(): SyscallError | undefined;
  /** How many bytes the device has returned. */
  bytesRead(): number;
  close(): void;
}

/** A device that has answered answers the next calls too, as a rule: the probe need not be repeated for each of them. */
const AFTER_ANSWER_MS = 100;

/** Creates the source of the device at `node`, which another process opens with the first call. */
export function createPatientSource(machine: Machine, node: string, options: OpenOptions): PatientSource {
  const answers = new Map<string, Uint8Array | SyscallError>();
  let reader: AsyncReader | null = null;
  let knownSize: number | null = null;
  let leftMs = 0;
  let isGenerous = false;

  /** Counts only the time of the device: on a slow CPU the probe itself takes longer. */
  function ask<T>(call: (reader: AsyncReader, timeoutMs: number) => T | null): T {
    const startMs = machine.nowMs();
    reader ??= machine.openAsyncReader(node, options);
    const answer = call(reader, leftMs);
    if (answer === null) throw new NoAnswerError();
    leftMs = Math.max(0, leftMs - (machine.nowMs() - startMs), isGenerous ? 0 : AFTER_ANSWER_MS);
    isGenerous = true;
    return answer;
  }

  function readOrRefusal(offset: number, length: number): Uint8Array | SyscallError {
    try {
      return ask((from, timeoutMs) => from.read(offset, length, timeoutMs));
    } catch (error) {
      // A device that is gone is not one that cannot be read.
      if (isErrno(error) && !isErrno(error, "ENODEV", "ENXIO")) return error;
      throw error;
    }
  }

  return {
    allow(waitMs) {
      leftMs = waitMs;
      isGenerous = false;
    },
    size: () => (knownSize ??= ask((from, timeoutMs) => from.size(timeoutMs))),
    read(offset, length) {
      const place = `${offset} ${length}`;
      const answer = answers.get(place) ?? readOrRefusal(offset, length);
      answers.set(place, answer);
      if (answer instanceof SyscallError) throw answer;
      return answer;
    },
    refusal: () => answers.values().find((answer) => answer instanceof SyscallError),
    bytesRead: () =>
      answers.values().reduce((sum, answer) => sum + (answer instanceof Uint8Array ? answer.length : 0), 0),
    close: () => reader?.close(),
  };
}

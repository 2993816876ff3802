import { SyscallError } from "../../../problems/errors.ts";
import { SYS, type SystemCallName } from "../../abi/calls.ts";
import { AF_UNIX, SIGKILL, SOCK_SEQPACKET, WNOHANG } from "../../abi/child.ts";
import { errnoName, SOCK_CLOEXEC } from "../../abi/constants.ts";
import { POLLIN } from "../../abi/terminal.ts";
import { IS_PACKED } from "../crypto/library.ts";
import { takeStage0Fd } from "../descriptors.ts";
import { callKernel, spawnProcess, systemCall } from "../libc.ts";
import { poll } from "../poll.ts";

/** A number, an address in the data of the order, or the result of an earlier call of the order: of open, the descriptor. */
export type Argument = number | { readonly data: number } | { readonly resultOf: number };

/** A system call for a worker. */
export type WorkerCall = readonly [name: SystemCallName, ...given: readonly Argument[]];

/** Up to `CALLS` calls, which a worker makes one after the other, also after one that failed. */
export interface Order {
  readonly calls: readonly WorkerCall[];
  /** Where the addresses lead. */
  readonly data: Uint8Array;
  /** How many bytes of the data come back; its size if that is more. */
  readonly answerBytes?: number;
  /** A call that the later ones depend on: if it fails, they are not made (ECANCELED). */
  readonly gate?: number;
  /** The same object for orders that differ only in their data: their calls are encoded once. */
  readonly shape?: object;
}

/** The results, an errno name for a call that was refused, and the data after the calls. */
export interface Answer {
  readonly results: readonly (number | string)[];
  readonly data: Uint8Array;
}

/**
 * A process that makes system calls: a call to a disk that does not answer waits in the kernel, where no signal and no timeout
 * reaches it. It is this program again, but ends in stage0 (build/stage0/worker.c), so that it costs a millisecond and no memory.
 */
export interface Worker {
  readonly socket: number;
  /** The previous order must be answered. */
  order(order: Order): void;
  /** Waits for the answer at most `timeoutMs` (infinite: no limit); null if it has not come. Throws SyscallError EPIPE if the process is gone. */
  answer(timeoutMs: number): Answer | null;
  /** Ends the worker without waiting: a call that hangs in the kernel holds it until the call returns. */
  dismiss(): void;
  /** Kills it as `dismiss` does, but keeps the socket, whose end is the end of the process: `answer` throws then. */
  kill(): void;
}

/** A worker that this process has started itself. */
export interface StartedWorker extends Worker {
  readonly pid: number;
}

/** As in worker.c. */
const WORKER_ARGUMENT = "--worker";
/** The most calls of an order, as in worker.c: the probe of a disk looks at about 25 places. */
export const CALLS = 32;
const ARGUMENTS = 6;
/** struct call, and where the parts of struct order begin. */
const CALL_BYTES = 8 + ARGUMENTS * 8 + 8;
const CALLS_AT = 24;
const RESULTS_AT = CALLS_AT + CALLS * CALL_BYTES;
const DATA_AT = RESULTS_AT + CALLS * 8;
const KINDS_AT = 8 + ARGUMENTS * 8;
const [KIND_NUMBER, KIND_ADDRESS_IN_DATA, KIND_RESULT_OF_CALL] = [0, 1, 2];
/** The kernel returns -4095 to -1 for an error. */
const LARGEST_ERRNO = 4095;
const SUBJECT = "worker";

/** Workers that may not have ended yet; a call in the kernel can last for hours. */
const dismissed = new Set<number>();

function reapDismissed(): void {
  for (const pid of dismissed) if (callKernel("wait4", [pid, 0, WNOHANG, 0]) !== 0) dismissed.delete(pid);
}

/** This program, if stage0 is in it. */
const OWN_PROGRAM = IS_PACKED ? "/proc/self/exe" : null;

/** Returns the worker that stage0 has forked for a boot; null if there is none. The process that calls this has it alone. */
export function takeFirstWorker(): Worker | null {
  const socket = takeStage0Fd("LEVAIN_WORKER_FD");
  return socket === null ? null : createWorker(null, socket);
}

/** Starts a worker: `program` has stage0 in it; null if there is none. Throws SyscallError if no process can be started. */
export function startWorker(program: string | null = OWN_PROGRAM): StartedWorker | null {
  if (program === null) return null;
  reapDismissed();
  const ends = new Int32Array(2);
  systemCall("socketpair", SUBJECT, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
  const [socket = -1, theirs = -1] = ends;
  try {
    const argv = [program, WORKER_ARGUMENT];
    const pid = spawnProcess({ argv, environment: [], terminal: null, outputFd: null, ends: [theirs, 1] });
    return { ...createWorker(pid, socket), pid };
  } catch (error) {
    callKernel("close", [socket]);
    throw error;
  } finally {
    callKernel("close", [theirs]);
  }
}

/** `pid`: null for a child that ends when its socket does, but is not killed. */
function createWorker(pid: number | null, socket: number): Worker {
  let answerBytes = 0;
  let callCount = 0;
  const kill = () => (pid === null ? undefined : void callKernel("kill", [pid, SIGKILL]));
  return {
    socket,
    kill,
    order(order) {
      const packet = encodeOrder(order);
      answerBytes = order.answerBytes ?? order.data.length;
      callCount = order.calls.length;
      callKernel("write", [socket, packet, packet.length]); // if the process is gone, `answer` says so
    },
    answer(timeoutMs) {
      const [revents] = poll([{ fd: socket, events: POLLIN }], Number.isFinite(timeoutMs) ? timeoutMs : null, SUBJECT);
      if (revents === 0) return null;
      const packet = new Uint8Array(new ArrayBuffer(DATA_AT - RESULTS_AT + answerBytes));
      const size = callKernel("read", [socket, packet, packet.length]);
      if (typeof size === "string" || size < DATA_AT - RESULTS_AT) throw new SyscallError("read", "EPIPE", SUBJECT);
      return decodeAnswer(packet.subarray(0, size), callCount);
    },
    dismiss() {
      callKernel("close", [socket]);
      kill();
      if (pid !== null) dismissed.add(pid);
    },
  };
}

/** Encoded orders without their data, by their shapes. */
const encoded = new WeakMap<object, Uint8Array>();

/** Loops and views are plain: until they are compiled, anything else takes longer than the calls themselves. */
function encodeOrder(order: Order): Uint8Array {
  const { data, shape = order } = order;
  const packet = new Uint8Array(new ArrayBuffer(Math.ceil((DATA_AT + data.length) / 4) * 4));
  const known = encoded.get(shape);
  if (known === undefined) {
    encodeCalls(order, packet);
    if (shape !== order) encoded.set(shape, packet.slice(0, DATA_AT));
  } else packet.set(known);
  packet.set(data, DATA_AT);
  return packet;
}

function encodeCalls({ calls, data, answerBytes, gate }: Order, packet: Uint8Array): void {
  const words = new Int32Array(packet.buffer);
  setWord(words, 0, calls.length);
  setWord(words, 8, answerBytes ?? data.length);
  setWord(words, 16, gate ?? CALLS);
  for (let index = 0; index < calls.length; index++) {
    const call = calls[index];
    if (call !== undefined) encodeCall(packet, words, CALLS_AT + index * CALL_BYTES, call);
  }
}

/** Writes an integer of 64 bits, also a negative one, over zeros (every machine of levain is little-endian); a BigInt costs more than all the rest of an order. */
function setWord(words: Int32Array, at: number, word: number): void {
  words[at >> 2] = word;
  if (word < 0 || word >= 2 ** 31) words[(at >> 2) + 1] = Math.floor(word / 2 ** 32);
}

function encodeCall(packet: Uint8Array, words: Int32Array, at: number, call: WorkerCall): void {
  setWord(words, at, SYS[call[0]]);
  for (let index = 1; index < call.length; index++) {
    const argument = call[index] as Argument;
    const [kind, word] = encodeArgument(argument);
    setWord(words, at + index * 8, word);
    packet[at + KINDS_AT + index - 1] = kind;
  }
}

function encodeArgument(argument: Argument): readonly [kind: number, word: number] {
  if (typeof argument === "number") return [KIND_NUMBER, argument];
  return "data" in argument ? [KIND_ADDRESS_IN_DATA, argument.data] : [KIND_RESULT_OF_CALL, argument.resultOf];
}

function decodeAnswer(packet: Uint8Array, callCount: number): Answer {
  const words = new Int32Array(packet.buffer, packet.byteOffset, callCount * 2);
  const results: (number | string)[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const [low, high] = [words[at] ?? 0, words[at + 1] ?? 0];
    const isError = high === -1 && low < 0 && low >= -LARGEST_ERRNO;
    results.push(isError ? errnoName(-low) : high * 2 ** 32 + (low >>> 0));
  }
  return { results, data: packet.subarray(DATA_AT - RESULTS_AT) };
}

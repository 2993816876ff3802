import { createFindHash } from "../crypto/hash.ts";
import { secretBytes, wipe } from "../crypto/secret.ts";
import type { Kdf, LuksHeader } from "../formats/luks/header.ts";
import type { Child, Children } from "../machine/child.ts";
import { CHILD_COMMANDS } from "../machine/child-commands.ts";
import type { Clock } from "../machine/machine.ts";
import { BootError } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { createDeriveKey, type DerivingMachine } from "./kdf.ts";
import { costOf, createEstimate, type Estimate } from "./kdf-cost.ts";

/** Derives keys so that each derivation can be stopped: another process does what takes long. */
export interface Deriver {
  /** Estimates the milliseconds of a derivation. */
  readonly estimateMs: Estimate;
  /** Starts the other process if a keyslot of `header` needs it: that takes some time, best while modules are loaded or the user types. */
  prepare(header: LuksHeader): void;
  /** As DeriveKey; `watch` is called at the start and then ten times a second, and stops the derivation by throwing. */
  derive(kdf: Kdf, passphrase: Uint8Array, length: number, watch: () => void): Uint8Array;
  /** Ends the other process. */
  close(): void;
}

/** In units of `costOf`: at most a fifth of a second on current machines, for which another process is not worth its start. */
const CHEAP_COST = 200_000;
const POLL_MS = 100;
const SIGKILL_STATUS = 128 + 9;

/** Makes a deriver, which starts the other process when it is first needed, and again after it was stopped. */
export function createDeriver(machine: DerivingMachine & Pick<Children, "startChild"> & Pick<Clock, "nowMs">): Deriver {
  const here = createDeriveKey(machine);
  const findHash = createFindHash(machine);
  let child: Child | null = null;
  const isCheap = (kdf: Kdf, length: number) => {
    const hashBytes = kdf.type === "pbkdf2" ? (findHash(kdf.hash)?.bytes ?? null) : null;
    return costOf(kdf, length, hashBytes) <= CHEAP_COST;
  };
  const stop = () => {
    child?.stop();
    child = null;
  };
  return {
    estimateMs: createEstimate({ deriveKey: here, nowMs: () => machine.nowMs() }),
    prepare({ keyslots }) {
      if (keyslots.every(({ lock }) => lock === null || isCheap(lock.kdf, lock.cipherKeyBytes))) return;
      child ??= machine.startChild(CHILD_COMMANDS.derive);
    },
    derive(kdf, passphrase, length, watch) {
      watch();
      if (isCheap(kdf, length)) return here(kdf, passphrase, length);
      child ??= machine.startChild(CHILD_COMMANDS.derive);
      try {
        return deriveInChild(child, { kdf, length }, passphrase, watch);
      } catch (error) {
        stop();
        throw error;
      }
    },
    close: stop,
  };
}

function deriveInChild(child: Child, terms: Terms, passphrase: Uint8Array, watch: () => void): Uint8Array {
  const order = encodeOrder(terms, passphrase);
  try {
    child.order(order);
  } finally {
    wipe(order);
  }
  for (;;) {
    const news = child.answer(POLL_MS);
    if (news.kind === "answer") return decodeAnswer(news.bytes);
    if (news.kind === "gone") throw explainDeath(terms.kdf, news.status);
    watch();
  }
}

function explainDeath(kdf: Kdf, status: number): BootError {
  if (status !== SIGKILL_STATUS) return problem("kdf-process-ended", { status });
  const neededBytes = "memoryKib" in kdf ? kdf.memoryKib * 1024 : null;
  return problem("kdf-process-killed", { kdf: kdf.type, neededBytes });
}

/*
 * An order is a little-endian u32, JSON of that length, and the passphrase. An answer is a byte and then the key or the JSON of a
 * BootError.
 */
const HEAD_BYTES = 4;
const [KEY, ERROR] = [0, 1];

/** What to derive: a key of `length` bytes. */
type Terms = Readonly<{ kdf: Kdf; length: number }>;

/** Encodes what the other process has to derive; the caller wipes it. */
export function encodeOrder({ kdf, length }: Terms, passphrase: Uint8Array): Uint8Array {
  const salt = kdf.type === "unknown" ? "" : kdf.salt.toHex();
  const terms = new TextEncoder().encode(JSON.stringify({ kdf: { ...kdf, salt }, length }));
  const order = secretBytes(HEAD_BYTES + terms.length + passphrase.length);
  new DataView(order.buffer).setUint32(0, terms.length, true);
  order.set(terms, HEAD_BYTES);
  order.set(passphrase, HEAD_BYTES + terms.length);
  return order;
}

/** Derives the key in the other process, without a copy of the passphrase; the caller wipes the answer. */
export function answerOrder(machine: DerivingMachine, order: Uint8Array): Uint8Array {
  let key: Uint8Array | null = null;
  try {
    const end = HEAD_BYTES + new DataView(order.buffer, order.byteOffset).getUint32(0, true);
    const { kdf, length } = JSON.parse(new TextDecoder().decode(order.slice(HEAD_BYTES, end)));
    key = createDeriveKey(machine)({ ...kdf, salt: Uint8Array.fromHex(kdf.salt) }, order.subarray(end), length);
    const answer = secretBytes(1 + key.length);
    answer[0] = KEY;
    answer.set(key, 1);
    return answer;
  } catch (error) {
    const { message, code, facts, hints, seen } = error as Partial<BootError>;
    const text = JSON.stringify({ message, code, facts, hints, seen });
    return Uint8Array.of(ERROR, ...new TextEncoder().encode(text));
  } finally {
    wipe(key);
  }
}

/** Returns the key of an answer and wipes the answer; the caller wipes the key. Throws the BootError of the other process. */
export function decodeAnswer(answer: Uint8Array): Uint8Array {
  try {
    if (answer[0] === KEY) {
      const key = secretBytes(answer.length - 1);
      key.set(answer.subarray(1));
      return key;
    }
    const { message, ...detail } = JSON.parse(new TextDecoder().decode(answer.subarray(1)));
    throw new BootError(message, detail);
  } finally {
    wipe(answer);
  }
}

import { secretBytes, wipe } from "../crypto/secret.ts";
import type { Kdf } from "../formats/luks/header.ts";
import { BootError } from "../problems/errors.ts";
import { createDeriveKey, type DerivingMachine } from "./kdf.ts";

/** Internal command: a process that derives keys for another process of levain. */
export const DERIVE_COMMAND = "derive-keys";

/*
 * An order is a little-endian u32, JSON of that length, and the passphrase. An answer is a byte and then the key or the JSON of a
 * BootError.
 */
const HEAD_BYTES = 4;
const [KEY, ERROR] = [0, 1];

interface Terms {
  readonly kdf: Kdf;
  /** Of the key, in bytes. */
  readonly length: number;
}

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

/** Returns the key of an answer; the caller wipes both. Throws the BootError of the other process. */
export function decodeAnswer(answer: Uint8Array): Uint8Array {
  if (answer[0] === KEY) {
    const key = secretBytes(answer.length - 1);
    key.set(answer.subarray(1));
    return key;
  }
  const { message, ...detail } = JSON.parse(new TextDecoder().decode(answer.subarray(1)));
  throw new BootError(message, detail);
}

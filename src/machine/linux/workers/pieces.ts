import { SyscallError } from "../../../problems/errors.ts";
import type { ReadPlace } from "../../async.ts";
import { CALLS_AROUND } from "./orders.ts";
import { CALLS } from "./worker.ts";

/** The most that one order reads: the head of a device, which the probe reads first, is less. */
const READ_BYTES = 64 << 10;

/** The bytes of a place, or why they cannot be read. */
export type Result = Uint8Array | SyscallError;

const fitting = new WeakMap<readonly ReadPlace[], readonly ReadPlace[]>();

/** Returns the places that fit into the order to open a file: the same array if all do. */
export function fittingPlaces(given: readonly ReadPlace[]): readonly ReadPlace[] {
  const known = fitting.get(given);
  if (known !== undefined) return known;
  const count = countInOrder(given);
  const places = count === given.length ? given : given.slice(0, count);
  fitting.set(given, places);
  return places;
}

/** The pieces of a place that are inside the device, each small enough for one order; at least one, which may be empty. */
export function splitPlace({ offset, length }: ReadPlace, size: number): readonly ReadPlace[] {
  const bytes = Math.max(0, Math.min(length, size - offset));
  return Array.from({ length: Math.max(1, Math.ceil(bytes / READ_BYTES)) }, (_, index) => {
    const done = index * READ_BYTES;
    return { offset: offset + done, length: Math.min(READ_BYTES, bytes - done) };
  });
}

/** Returns how many of the pieces one order reads, with the calls around them. */
export function countInOrder(pieces: readonly ReadPlace[]): number {
  let bytes = 0;
  const count = pieces.findIndex(({ length }, index) => {
    bytes += length;
    return index === CALLS - CALLS_AROUND || bytes > READ_BYTES;
  });
  return count < 0 ? pieces.length : count;
}

/** Puts the pieces of a place together again, up to the first that is short. */
export function joinPieces(pieces: readonly Result[]): Result {
  const bytes: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece instanceof SyscallError) return piece;
    bytes.push(piece);
    if (piece.length < READ_BYTES) break;
  }
  const [first = new Uint8Array()] = bytes;
  return bytes.length === 1 ? first : new Uint8Array(Buffer.concat(bytes));
}

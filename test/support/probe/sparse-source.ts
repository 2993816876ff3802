import type { ByteSource } from "../../../src/formats/facts.ts";

export interface Patch {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A source that counts the reads. */
export interface CountingSource extends ByteSource {
  /** Bytes and calls so far; each call is checked to be inside. */
  readonly count: { bytes: number; calls: number };
}

/** Makes a source of zeros with `patches`. It throws for a read that is not inside: over-reads must not happen. */
export function sparseSource(size: number, patches: readonly Patch[]): CountingSource {
  const count = { bytes: 0, calls: 0 };
  return {
    size,
    count,
    read(offset, length) {
      const isInside = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length > 0;
      if (!isInside || offset + length > size) throw new Error(`read of ${length} at ${offset} of ${size} bytes`);
      count.bytes += length;
      count.calls += 1;
      const bytes = new Uint8Array(length);
      for (const patch of patches) {
        const from = Math.max(offset, patch.at);
        const to = Math.min(offset + length, patch.at + patch.bytes.length);
        if (from < to) bytes.set(patch.bytes.subarray(from - patch.at, to - patch.at), from - offset);
      }
      return bytes;
    },
  };
}

type Part = string | readonly number[] | Uint8Array;

/** Concatenates parts from `at`; text is one byte a character. */
export function patch(at: number, ...parts: readonly Part[]): Patch {
  return {
    at,
    bytes: Uint8Array.from(parts.flatMap((part) => Array.from(typeof part === "string" ? latin1(part) : part))),
  };
}

/** One byte for each character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function digits(value: number | bigint, length: number): number[] {
  return Array.from({ length }, (_, i) => Number((BigInt(value) >> BigInt(i * 8)) & 0xffn));
}

export const le16 = (value: number): readonly number[] => digits(value, 2);
export const le32 = (value: number): readonly number[] => digits(value, 4);
export const le64 = (value: number | bigint): readonly number[] => digits(value, 8);
export const be16 = (value: number): readonly number[] => digits(value, 2).reverse();
export const be32 = (value: number): readonly number[] => digits(value, 4).reverse();
export const be64 = (value: number | bigint): readonly number[] => digits(value, 8).reverse();

/** `length` bytes: 1, 2, 3, …; a UUID or an identifier that is not zero. */
export function counting(length: number, first = 1): readonly number[] {
  return Array.from({ length }, (_, i) => (first + i) & 0xff);
}

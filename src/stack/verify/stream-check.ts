import type { Hash } from "node:crypto";
import { runtimeCrypto } from "../../crypto/secret.ts";
import { FIELD_BYTES, type IsoChecksum } from "../../formats/checks/iso-checksum.ts";

/** A check of a file that is read once, from its beginning to its end. */
export interface StreamCheck {
  /** What the file has to match, as in a sentence: "its sha256 in sha256sum.txt". */
  readonly what: string;
  /** True for a check that finds damage only: a user may skip it. */
  readonly canSkip: boolean;
  update(part: Uint8Array): void;
  /** Returns what does not match; null if everything does. */
  finish(): Mismatch | null;
}

/** What is known of the damage. */
export interface Mismatch {
  /** The byte near which it begins; null if only the whole is known to be wrong. */
  readonly offset: number | null;
}

/** Compares the digest of the whole file. */
export function digestCheck(algorithm: string, hex: string, what: string, canSkip: boolean): StreamCheck {
  const hash = runtimeCrypto().createHash(algorithm);
  return {
    what,
    canSkip,
    update: (part) => void hash.update(part),
    finish: () => (hash.digest("hex") === hex ? null : { offset: null }),
  };
}

/** isomd5sum reads this much at once, and looks at the sums of fragments between two reads. */
const ISO_READ_BYTES = 32 * 1024;

/** Compares the checksum in an ISO. If it is wrong, the sums of its fragments say where the damage begins. */
export function isoCheck({ md5, bytes, fieldAt, fragments }: IsoChecksum): StreamCheck {
  const hash = runtimeCrypto().createHash("md5");
  const ends = fragmentEnds(bytes, fragments.length);
  const seen: string[] = [];
  let done = 0;
  return {
    what: "the checksum in it",
    canSkip: true,
    update(part) {
      const covered = blank(part.subarray(0, Math.max(0, bytes - done)), fieldAt - done);
      for (let from = 0; from < covered.length; ) {
        const end = ends[seen.length] ?? Number.POSITIVE_INFINITY;
        const to = Math.min(covered.length, end - done);
        hash.update(covered.subarray(from, to));
        if (done + to === end) seen.push(fragmentSum(hash.copy().digest()));
        from = to;
      }
      done += part.length;
    },
    finish: () => (done >= bytes && digestOf(hash) === md5 ? null : { offset: findFragment(fragments, seen, ends) }),
  };
}

function digestOf(hash: Hash): string {
  return hash.digest("hex");
}

/** Where isomd5sum compares the sum of each fragment: after the read in which the next one begins. None for an ISO that is too small. */
function fragmentEnds(bytes: number, count: number): readonly number[] {
  const fragmentBytes = Math.floor(bytes / (count + 1));
  if (count === 0 || fragmentBytes < ISO_READ_BYTES) return [];
  return Array.from({ length: count }, (_, index) => {
    const start = Math.ceil(((index + 1) * fragmentBytes) / ISO_READ_BYTES) * ISO_READ_BYTES;
    return Math.min(start + ISO_READ_BYTES, bytes);
  });
}

/** isomd5sum prints each byte by "%01x" and keeps the first character: of 0xab it is "a", of 0x0b it is "b". */
function fragmentSum(digest: Uint8Array): string {
  return Array.from(digest, (byte) => byte.toString(16).slice(0, 1)).join("");
}

/** The damage lies behind the end of the last fragment whose sum is right. */
function findFragment(fragments: readonly string[], seen: readonly string[], ends: readonly number[]): number | null {
  if (ends.length === 0) return null;
  const wrong = seen.findIndex((sum, index) => !sum.startsWith(fragments[index] ?? ""));
  const last = wrong < 0 ? seen.length : wrong;
  return last === 0 ? 0 : (ends[last - 1] ?? 0);
}

/** Returns the part with the field, which begins at `at` of it, as spaces. */
function blank(part: Uint8Array, at: number): Uint8Array {
  if (at >= part.length || at + FIELD_BYTES <= 0) return part;
  return part.slice().fill(0x20, Math.max(0, at), Math.min(part.length, at + FIELD_BYTES));
}

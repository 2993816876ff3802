import { wipe } from "../crypto/secret.ts";
import type { Argon2, Kdf, Pbkdf2 } from "../formats/luks/header.ts";
import { printable } from "../problems/report.ts";
import { formatMib } from "../problems/size.ts";
import type { DeriveKey } from "./kdf.ts";

/** What is measured: whoever derives, and a clock. */
export interface Stopwatch {
  readonly deriveKey: DeriveKey;
  /** Milliseconds. */
  readonly nowMs: () => number;
}

// What cryptsetup makes by default takes less on the machine that it was made on: 2 s.
const CHEAP = { pbkdf2: 20_000_000, argon2i: 8 * 2 ** 20, argon2id: 8 * 2 ** 20 };
const SAMPLE_ITERATIONS = 100_000;
const SAMPLE_KIB = 64 * 1024;
// A thread for each quarter of each pass.
const KIB_PER_LANE = 200;

/**
 * How much is to be done for a key of `length` bytes: iterations of a hash (each part of the key that is as long as one takes all of
 * them), or KiB that Argon2 writes, with what its threads cost. Either is at most a microsecond's work. `hashBytes` is null where the hash is not known.
 */
export function costOf(kdf: Kdf, length: number, hashBytes: number | null): number {
  if (kdf.type === "unknown") return 0;
  if (kdf.type === "pbkdf2") return kdf.iterations * Math.ceil(length / (hashBytes ?? length));
  return kdf.passes * (kdf.memoryKib + KIB_PER_LANE * kdf.lanes);
}

/** Milliseconds that a derivation will take; null where it costs no more than `fromCost`, by default what is no wait. */
export type Estimate = (kdf: Kdf, length: number, fromCost?: number) => number | null;

/** Estimates by doing a small part of a derivation, for nothing, once for each kind. */
export function createEstimate({ deriveKey, nowMs }: Stopwatch): Estimate {
  const measured = new Map<string, number>();
  return (kdf, length, fromCost) => {
    if (kdf.type === "unknown") return null;
    const cost = costOf(kdf, 1, null);
    if (cost <= (fromCost ?? CHEAP[kdf.type])) return null;
    const sample = takeSample(kdf);
    const kind = JSON.stringify([{ ...sample, salt: null }, length]);
    let sampleMs = measured.get(kind);
    if (sampleMs === undefined) {
      const startMs = nowMs();
      wipe(deriveKey(sample, new Uint8Array(), length));
      sampleMs = nowMs() - startMs;
      measured.set(kind, sampleMs);
    }
    return (sampleMs * cost) / costOf(sample, 1, null);
  };
}

function takeSample(kdf: Argon2 | Pbkdf2): Argon2 | Pbkdf2 {
  return kdf.type === "pbkdf2"
    ? { ...kdf, iterations: SAMPLE_ITERATIONS }
    : { ...kdf, passes: 1, memoryKib: Math.min(kdf.memoryKib, SAMPLE_KIB) };
}

/** A derivation in words that are safe to print: "pbkdf2, 1000 iterations of sha256". */
export function describeKdf(kdf: Kdf): string {
  if (kdf.type === "unknown") return printable(kdf.name);
  if (kdf.type === "pbkdf2") return `pbkdf2, ${kdf.iterations} iterations of ${printable(kdf.hash)}`;
  return `${kdf.type}, ${formatMib(kdf.memoryKib * 1024)}, ${kdf.lanes} lane${kdf.lanes === 1 ? "" : "s"}`;
}

/** Milliseconds for a person, as "40 s", "7 min" or "2 h". */
export function formatWait(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

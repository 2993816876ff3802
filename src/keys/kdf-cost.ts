import { wipe } from "../crypto/secret.ts";
import type { Argon2, Kdf, Pbkdf2 } from "../formats/luks/header.ts";
import { printable } from "../problems/report.ts";
import { formatMib } from "../problems/size.ts";
import type { DeriveKey } from "./kdf.ts";

// The default of cryptsetup costs less: 2 s on the machine where the keyslot was created.
const CHEAP = { pbkdf2: 20_000_000, argon2i: 8 * 2 ** 20, argon2id: 8 * 2 ** 20 };
const SAMPLE_ITERATIONS = 100_000;
const SAMPLE_KIB = 64 * 1024;
// Cost of the threads, one for each quarter of each pass.
const KIB_PER_LANE = 200;

/**
 * Returns the cost of a key of `length` bytes: iterations of a hash, for each part of the key as long as a digest, or the KiB that
 * Argon2 writes, plus the cost of its threads. A unit takes at most a microsecond. `hashBytes` is null for an unknown hash.
 */
export function costOf(kdf: Kdf, length: number, hashBytes: number | null): number {
  if (kdf.type === "unknown") return 0;
  if (kdf.type === "pbkdf2") return kdf.iterations * Math.ceil(length / (hashBytes ?? length));
  return kdf.passes * (kdf.memoryKib + KIB_PER_LANE * kdf.lanes);
}

/** Estimates the milliseconds of a derivation; null if it costs at most `fromCost`, by default if there is no noticeable wait. */
export type Estimate = (kdf: Kdf, length: number, fromCost?: number) => number | null;

/** Estimates by measuring a small part of a derivation, once for each kind. */
export function createEstimate({ deriveKey, nowMs }: { deriveKey: DeriveKey; nowMs: () => number }): Estimate {
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

/** Describes a derivation, safe to print: "pbkdf2, 1000 iterations of sha256". */
export function describeKdf(kdf: Kdf): string {
  if (kdf.type === "unknown") return printable(kdf.name);
  if (kdf.type === "pbkdf2") return `pbkdf2, ${kdf.iterations} iterations of ${printable(kdf.hash)}`;
  return `${kdf.type}, ${formatMib(kdf.memoryKib * 1024)}, ${kdf.lanes} lane${kdf.lanes === 1 ? "" : "s"}`;
}

/** Formats milliseconds for the user, as "40 s", "7 min" or "2 h". */
export function formatWait(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

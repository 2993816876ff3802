import type { Kdf } from "./header.ts";
import type { DeriveKey } from "./kdf.ts";
import { wipe } from "./secret.ts";

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

/** Milliseconds that a derivation will take, by doing a small part of it, for nothing; null for one that is no wait. */
export function estimateMs(kdf: Kdf, length: number, { deriveKey, nowMs }: Stopwatch): number | null {
  const sample = takeSample(kdf);
  if (sample === null) return null;
  const startMs = nowMs();
  wipe(deriveKey(sample.kdf, new Uint8Array(), length));
  return (nowMs() - startMs) * sample.times;
}

function takeSample(kdf: Kdf): { readonly kdf: Kdf; readonly times: number } | null {
  if (kdf.type === "unknown") return null;
  const small: Kdf =
    kdf.type === "pbkdf2"
      ? { ...kdf, iterations: SAMPLE_ITERATIONS }
      : { ...kdf, passes: 1, memoryKib: Math.min(kdf.memoryKib, SAMPLE_KIB) };
  const [all, sample] = [kdf, small].map((one) => costOf(one, 1, null));
  if (all === undefined || sample === undefined || all <= CHEAP[kdf.type]) return null;
  return { kdf: small, times: all / sample };
}

/** Milliseconds for a person, as "40 s", "7 min" or "2 h". */
export function formatWait(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

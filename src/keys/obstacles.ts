import { isNullCipher, parseCipher } from "../crypto/cipher.ts";
import { type FindHash, findHash } from "../crypto/hash.ts";
import {
  type Argon2,
  digestOfKeyslot,
  isBound,
  type Kdf,
  type Keyslot,
  type KeyslotLock,
  type LuksHeader,
  type Pbkdf2,
} from "../formats/luks/header.ts";
import { problem } from "../problems/problem.ts";
import { describeFree, formatBytes } from "../problems/size.ts";
import type { AreaDecryptor } from "./area-decryptor.ts";
import { costOf, describeKdf, type Estimate, formatWait } from "./kdf-cost.ts";

/** What the machine can do and the user allows. */
export interface Limits {
  /** Memory for a key derivation; null if unknown. */
  readonly memoryBytes: number | null;
  /** Of the machine, free or not; left out or null if unknown. */
  readonly totalBytes?: number | null;
  /** True with rd.luks.options=insecure-null. */
  readonly allowsNull: boolean;
  /** The available hashes, by default those of the runtime. */
  readonly findHash?: FindHash;
  /** The first one that supports a cipher is used. */
  readonly decryptors: readonly AreaDecryptor[];
  /** Bound of one derivation, by default only the limit for all headers. */
  readonly kdfBound?: KdfBound | null;
}

/** max-kdf= */
export interface KdfBound {
  readonly maxMs: number;
  readonly estimateMs: Estimate;
}

/** Why a keyslot cannot be tried. */
interface Obstacle {
  /** Follows "keyslot 1 " in a sentence. */
  readonly reason: string;
  /** True if a kernel with that cipher could. */
  readonly needsKernel: boolean;
}

// In units of costOf: some minutes for one keyslot, and for all that are tried. cryptsetup has no limit and would work for hours.
const MAX_COST = 2 ** 30;
const MAX_COST_TOGETHER = 4 * MAX_COST;
const TOO_LONG = "which would take hours";
const MAX_LANES = 64;
const MIN_KIB_PER_LANE = 8;

/** Throws BootError where the header has requirements: levain knows none, so it must not touch the volume. */
export function refuseRequirements({ requirements }: LuksHeader): void {
  if (requirements.length > 0) throw problem("luks-requirement", { requirements });
}

/** Returns why `slot` cannot be tried on this machine, or null. An unbound keyslot has another key than that of the data. */
export function findObstacle(header: LuksHeader, slot: Keyslot, limits: Limits): Obstacle | null {
  const { lock } = slot;
  if (lock === null) return { reason: `is of type ${slot.type}, which no passphrase opens`, needsKernel: false };
  const reason = findOwnObstacle(header, slot.id, lock, limits);
  if (reason !== null) return { reason, needsKernel: false };
  const { cipher, cipherKeyBytes } = lock;
  if (findDecryptor(cipher, cipherKeyBytes, limits.decryptors) !== null) return null;
  return { reason: `is encrypted with ${cipher}, ${explainCipher(cipher, cipherKeyBytes, limits)}`, needsKernel: true };
}

/** Returns an obstacle that no cipher of the kernel removes, or null. */
function findOwnObstacle(header: LuksHeader, id: number, lock: KeyslotLock, limits: Limits): string | null {
  const { kdf, cipher, cipherKeyBytes, splitHash } = lock;
  if (!isBound(header, id)) return "is unbound: its key is not that of the data";
  if (!header.material.has(id)) return "cannot be read";
  const reason = findKdfObstacle(kdf, cipherKeyBytes, limits) ?? findDigestObstacle(header, id, limits);
  if (reason !== null) return reason;
  if ((limits.findHash ?? findHash)(splitHash) === null) return `needs the hash ${splitHash}, which is not supported`;
  if (!isNullCipher(cipher) || limits.allowsNull) return null;
  return `is not encrypted (${cipher}); rd.luks.options=insecure-null accepts it anyway`;
}

function explainCipher(cipher: string, keyBytes: number, { decryptors }: Limits): string {
  const spec = parseCipher(cipher);
  if (spec === null) return "which is not a valid cipher";
  const asked = decryptors.find(({ explain }) => explain !== undefined);
  return asked?.explain?.(spec, keyBytes) ?? "which needs the kernel's dm-crypt";
}

/** Returns the first decryptor that supports the cipher, with the parsed cipher, or null. */
export function findDecryptor(cipher: string, keyBytes: number, decryptors: readonly AreaDecryptor[]) {
  const spec = parseCipher(cipher);
  const decryptor = spec && decryptors.find((candidate) => candidate.handles(spec, keyBytes));
  return spec && decryptor ? { spec, decryptor } : null;
}

function findDigestObstacle(header: LuksHeader, keyslot: number, limits: Limits): string | null {
  const check = digestOfKeyslot(header, keyslot)?.check ?? null;
  if (check === null) return "has a digest of an unknown type";
  const bytes = (limits.findHash ?? findHash)(check.kdf.hash)?.bytes;
  // LUKS1 has 20 bytes, also after a conversion to LUKS2.
  if (bytes !== undefined && check.value.length !== 20 && check.value.length !== bytes) return "has a truncated digest";
  return findKdfObstacle(check.kdf, check.value.length, limits);
}

/** `length` is that of the derived key, in bytes. */
function findKdfObstacle(kdf: Kdf, length: number, limits: Limits): string | null {
  if (kdf.type === "unknown") return `needs the key derivation ${kdf.name}, which is not supported`;
  const obstacle = kdf.type === "pbkdf2" ? findPbkdf2Obstacle(kdf, length, limits) : findArgon2Obstacle(kdf, limits);
  return obstacle ?? findBoundObstacle(kdf, length, limits);
}

// Most milliseconds of a unit of cost on a slow machine: a derivation within the bound even there is not measured.
const SLOWEST_MS = 0.02;

function findBoundObstacle(kdf: Kdf, length: number, { kdfBound }: Limits): string | null {
  if (!kdfBound) return null;
  const { maxMs, estimateMs } = kdfBound;
  const ms = estimateMs(kdf, length, maxMs / SLOWEST_MS);
  if (ms === null || ms <= maxMs) return null;
  return `takes about ${formatWait(ms)} to try (${describeKdf(kdf)}), and max-kdf= allows ${formatWait(maxMs)}`;
}

function findPbkdf2Obstacle({ hash, iterations }: Pbkdf2, length: number, limits: Limits): string | null {
  const bytes = (limits.findHash ?? findHash)(hash)?.bytes;
  if (bytes === undefined) return `needs the hash ${hash}, which is not supported`;
  if (iterations < 1) return `asks for ${iterations} iterations`;
  const parts = Math.ceil(length / bytes);
  if (iterations * parts <= MAX_COST) return null;
  return `asks for ${iterations} iterations${parts === 1 ? "" : ` for each of ${parts} parts of a key`}, ${TOO_LONG}`;
}

/** True if the derivation asks for more memory than is free: fewer KiB in the keyslot would do. */
export function lacksMemory(kdf: Kdf, { memoryBytes }: Pick<Limits, "memoryBytes">): boolean {
  return "memoryKib" in kdf && memoryBytes !== null && kdf.memoryKib * 1024 > memoryBytes;
}

function findArgon2Obstacle(kdf: Argon2, limits: Limits): string | null {
  const { passes, memoryKib, lanes } = kdf;
  const { memoryBytes } = limits;
  const asked = `asks for ${passes} passes over ${memoryKib} KiB in ${lanes} lane${lanes === 1 ? "" : "s"}`;
  if (passes < 1 || lanes < 1 || lanes > MAX_LANES || memoryKib < Math.max(32, lanes * MIN_KIB_PER_LANE)) return asked;
  if (memoryBytes !== null && lacksMemory(kdf, limits)) {
    return `needs ${formatBytes(memoryKib * 1024)} to unlock, and ${describeFree(memoryBytes, limits.totalBytes ?? null)}`;
  }
  return costOf(kdf, 1, null) <= MAX_COST ? null : `${asked}, ${TOO_LONG}`;
}

/** Throws BootError if it takes too long to try all of `slots`, which have no obstacles. */
export function refuseWaiting(header: LuksHeader, slots: readonly Keyslot[], limits: Limits): void {
  const find = limits.findHash ?? findHash;
  const cost = (kdf: Kdf, length: number) =>
    costOf(kdf, length, kdf.type === "pbkdf2" ? (find(kdf.hash)?.bytes ?? null) : null);
  const costs = slots.map(({ id, lock }) => {
    const check = digestOfKeyslot(header, id)?.check;
    return (lock ? cost(lock.kdf, lock.cipherKeyBytes) : 0) + (check ? cost(check.kdf, check.value.length) : 0);
  });
  if (costs.reduce((sum, one) => sum + one, 0) <= MAX_COST_TOGETHER) return;
  throw problem("keyslots-too-costly", {});
}

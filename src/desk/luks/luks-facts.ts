import type { Kdf, Keyslot, LuksHeader, Segment } from "../../formats/luks/header.ts";
import { digestOfKeyslot, isBound } from "../../formats/luks/header.ts";
import { type CryptMapping, type DataDevice, planMapping } from "../../keys/mapping.ts";
import { findObstacle, type Limits } from "../../keys/obstacles.ts";
import { keyslotsToTry } from "../../keys/unlock.ts";
import { printable, report } from "../../problems/report.ts";

/** A LUKS header for a person or a program: plain data, without anything secret. Texts are not safe to print. */
export interface LuksFacts {
  readonly version: number;
  readonly uuid: string;
  readonly label: string;
  readonly subsystem: string;
  readonly epoch: number | null;
  readonly acceptable: boolean;
  /** Why it is not acceptable, in lines. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly flags: readonly string[];
  readonly requirements: readonly string[];
  readonly segments: readonly SegmentFacts[];
  readonly keyslots: readonly KeyslotFacts[];
  readonly tokens: readonly Readonly<Record<string, unknown>>[];
  /** How it would be mapped; null where it cannot be. */
  readonly mapping: MappingFacts | null;
}

/** Numbers are bytes; `size` is null up to the end of the device. */
export interface SegmentFacts {
  readonly id: number;
  readonly type: string;
  readonly offset: string;
  readonly size: string | null;
  readonly cipher: string | null;
  readonly sectorSize: number | null;
  readonly integrity: string | null;
  readonly flags: readonly string[];
}

/** One keyslot; `problem` is null where it can be tried here. */
export interface KeyslotFacts {
  readonly id: number;
  readonly type: string;
  readonly keyBits: number;
  readonly priority: string;
  readonly bound: boolean;
  readonly digest: number | null;
  readonly kdf: Readonly<Record<string, string | number>> | null;
  readonly cipher: string | null;
  readonly cipherKeyBits: number | null;
  readonly splitHash: string | null;
  readonly area: { readonly offset: number; readonly size: number };
  readonly problem: string | null;
}

type MappingFacts = Omit<CryptMapping, "ivOffset"> & { readonly ivOffset: string };

/** What `levain luks` tells of a header whose data lie on `device`. */
export function gatherLuksFacts(header: LuksHeader, device: DataDevice, limits: Limits): LuksFacts {
  const { version, uuid, label, subsystem, epoch, warnings, flags, requirements } = header;
  const mapping = attemptMapping(header, device);
  const obstacles = keyslotsToTry(header, null).map((slot) => ({ slot, obstacle: findObstacle(header, slot, limits) }));
  const canTry = obstacles.some(({ obstacle }) => obstacle === null || obstacle.needsKernel);
  const blocked = obstacles.map(({ slot, obstacle }) => printable(`keyslot ${slot.id} ${obstacle?.reason ?? ""}`));
  const problems = [...mapping.problems, ...(canTry ? [] : ["no keyslot can be tried", ...blocked])];
  return {
    version,
    uuid,
    label,
    subsystem,
    epoch: epoch === null ? null : Number(epoch),
    acceptable: problems.length === 0,
    problems,
    warnings,
    flags,
    requirements,
    segments: header.segments.map(describeSegment),
    keyslots: header.keyslots.map((slot) => describeKeyslot(header, slot, limits)),
    tokens: header.tokens.map(({ id, content }) => ({ ...content, id })),
    mapping: mapping.facts,
  };
}

function attemptMapping(header: LuksHeader, device: DataDevice) {
  try {
    const mapping = planMapping(header, device);
    return { facts: { ...mapping, ivOffset: String(mapping.ivOffset) }, problems: [] };
  } catch (error) {
    return { facts: null, problems: report(error) };
  }
}

function describeSegment({ id, type, offset, size, flags, crypt }: Segment): SegmentFacts {
  return {
    id,
    type,
    offset: String(offset),
    size: size === null ? null : String(size),
    cipher: crypt?.cipher ?? null,
    sectorSize: crypt?.sectorBytes ?? null,
    integrity: crypt?.integrity ?? null,
    flags,
  };
}

function describeKeyslot(header: LuksHeader, slot: Keyslot, limits: Limits): KeyslotFacts {
  const { id, type, keyBytes, priority, area, lock } = slot;
  return {
    id,
    type: header.version === 1 ? "luks1" : type,
    keyBits: keyBytes * 8,
    priority,
    bound: isBound(header, id),
    digest: digestOfKeyslot(header, id)?.id ?? null,
    kdf: lock === null ? null : describeKdf(lock.kdf),
    cipher: lock?.cipher ?? null,
    cipherKeyBits: lock === null ? null : lock.cipherKeyBytes * 8,
    splitHash: lock?.splitHash ?? null,
    area,
    problem: findObstacle(header, slot, limits)?.reason ?? null,
  };
}

function describeKdf(kdf: Kdf): Readonly<Record<string, string | number>> {
  if (kdf.type === "unknown") return { type: kdf.name };
  if (kdf.type === "pbkdf2") return { type: kdf.type, hash: kdf.hash, iterations: kdf.iterations };
  return { type: kdf.type, passes: kdf.passes, memoryKib: kdf.memoryKib, lanes: kdf.lanes };
}

import { digestOfKeyslot, isBound, type Keyslot, type LuksHeader, type Segment } from "../../formats/luks/header.ts";
import { type DataDevice, planMapping } from "../../keys/mapping.ts";
import { findObstacle, type Limits } from "../../keys/obstacles.ts";
import { keyslotsToTry } from "../../keys/unlock.ts";
import { printable, report } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";

/** A LUKS header as plain data without secrets. Its texts are not safe to print. */
export type LuksFacts = ReturnType<typeof gatherLuksFacts>;

/** Describes a valid header whose data should be on `device`. `problems` says, in lines, why it cannot be opened here; `mapping` is null then, unless only the keyslots are at fault. */
export function gatherLuksFacts(header: LuksHeader, device: DataDevice, limits: Limits) {
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
    valid: true,
    usableHere: problems.length === 0,
    problems,
    warnings,
    flags,
    requirements,
    segments: header.segments.map(describeSegment),
    keyslots: header.keyslots.map((slot) => describeKeyslot(header, slot, limits)),
    tokens: header.tokens.map(({ id, content }): Readonly<Record<string, unknown>> => ({ ...content, id })),
    mapping: mapping.facts,
    keysUsable: canTry && requirements.length === 0,
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

/** Offset and size in bytes, as decimal text; the size is null if the segment extends to the end of the device. */
function describeSegment({ id, type, offset, size, flags, crypt }: Segment) {
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

function describeKeyslot(header: LuksHeader, slot: Keyslot, limits: Limits) {
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

function describeKdf(kdf: NonNullable<Keyslot["lock"]>["kdf"]): Readonly<Record<string, string | number>> {
  if (kdf.type === "unknown") return { type: kdf.name };
  if (kdf.type === "pbkdf2") return { type: kdf.type, hash: kdf.hash, iterations: kdf.iterations };
  return { type: kdf.type, passes: kdf.passes, memoryKib: kdf.memoryKib, lanes: kdf.lanes };
}

const OPTIONAL = ["label", "subsystem", "flags", "requires"];

/** Formats a LUKS header as aligned lines that are safe to print. */
export function formatLuksFacts(facts: LuksFacts): readonly string[] {
  const rows: readonly (readonly [name: string, value: string])[] = [
    ["version", `LUKS${facts.version}`],
    ["uuid", facts.uuid],
    ["label", facts.label],
    ["subsystem", facts.subsystem],
    ["flags", facts.flags.join(" ")],
    ["requires", facts.requirements.join(" ")],
    ...facts.segments.map((segment) => [`segment ${segment.id}`, formatSegment(segment)] as const),
    ...facts.keyslots.map((slot) => [`keyslot ${slot.id}`, formatKeyslot(slot)] as const),
    ...facts.tokens.map((token) => [`token ${token["id"]}`, formatToken(token)] as const),
    ["valid", "yes"],
    ["usable here", facts.usableHere ? "yes" : "no"],
  ];
  return rows
    .filter(([name, value]) => value !== "" || !OPTIONAL.includes(name))
    .map(([name, value]) => printable(`${name.padEnd(11)} ${value}`));
}

function formatSegment(segment: LuksFacts["segments"][number]): string {
  const { type, offset, size, cipher, sectorSize, integrity, flags } = segment;
  const place = `from ${formatBytes(BigInt(offset))} ${size === null ? "to the end" : `on, ${formatBytes(BigInt(size))}`}`;
  const sectors = sectorSize === null ? [] : [`sectors of ${sectorSize} bytes`];
  return [cipher ?? type, ...(integrity === null ? [] : [integrity]), place, ...sectors, ...flags].join(", ");
}

function formatKeyslot({ type, keyBits, kdf, cipher, priority, problem }: LuksFacts["keyslots"][number]): string {
  const key = kdf === null ? [type] : [`${type} key of ${keyBits} bits`, Object.entries(kdf).map(formatCost).join(" ")];
  const parts = [
    ...key,
    ...(cipher === null ? [] : [cipher]),
    ...(priority === "normal" ? [] : [priority === "prefer" ? "preferred" : "ignored"]),
  ];
  return parts.join(", ") + (problem === null ? "" : ` (${problem})`);
}

const SINGULAR: Readonly<Record<string, string>> = { iterations: "iteration", passes: "pass", lanes: "lane" };

function formatCost([name, value]: readonly [string, string | number]): string {
  if (name === "memoryKib") return formatBytes(Number(value) * 1024);
  return typeof value === "number" ? `${value} ${value === 1 ? SINGULAR[name] : name}` : value;
}

function formatToken({ type, keyslots }: Readonly<Record<string, unknown>>): string {
  const slots = Array.isArray(keyslots) ? keyslots.join(" ") : "";
  return `${String(type)}${slots === "" ? "" : `, for keyslot ${slots}`}`;
}

import type { BlockDevice } from "../../../devices/block-devices.ts";
import { findDamage } from "../../../filesystems/mount-causes.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { DeviceSpec } from "../../../parameters/device-spec.ts";
import { partitionOf } from "../../../plan/verity/verity.ts";
import type { VerityVolume } from "../../../plan/verity/volumes.ts";
import { BootError } from "../../../problems/errors.ts";
import { isProblem, problem } from "../../../problems/problem.ts";
import { headline, sentence } from "../../../problems/report.ts";
import type {
  Assembly,
  DeviceState,
  RequiredVolume,
  Round,
  StorageContext,
  StoragePlan,
  Trouble,
} from "../../contract.ts";
import { listBelow, removeMapping } from "../../device-mapper/mapping.ts";
import { specText } from "../../search-words.ts";
import { type Candidate, listCandidates } from "./candidates.ts";
import { openVerity } from "./open.ts";
import type { VerityOrder, VerityPart } from "./order.ts";
import { findSignature, hasAllPartitions, listBeside, readSignature } from "./signature.ts";

interface Opening {
  readonly wish: VerityVolume;
  /** What it was made of; null while it is closed. */
  readonly opened: { readonly mapping: Mapping; readonly data: string; readonly isAdopted: boolean } | null;
  /** Why the devices that are there were refused, the newest last. */
  readonly refusals: readonly Refusal[];
}

interface Refusal {
  readonly error: BootError;
  /** Of the devices, to try each combination once. */
  readonly parts: readonly BlockDevice[];
  /** The partitions that were searched for a signature: with a further one the same devices are tried again. */
  readonly searched: readonly BlockDevice[];
  /** True if a parameter or the root hash itself names these devices, and none is on a stick, so waiting for others is in vain. */
  readonly isNamed: boolean;
}

/** Opens the volumes that dm-verity verifies. Which of several devices is the right one is decided by the root hash, not by a name. */
export function startVerity(context: StorageContext, plan: Pick<StoragePlan, "verity">): Assembly {
  const openings = plan.verity.map((wish): Opening => ({ wish, opened: null, refusals: [] }));
  const isRefused = (device: BlockDevice) => describeState(openings, device)?.kind === "closed";
  return {
    advance() {
      let round: Round = "idle";
      for (const [index, opening] of openings.entries()) {
        if (opening.opened !== null) continue;
        const next = adopt(context, opening) ?? tryAll(context, opening, isRefused);
        openings[index] = next;
        if (next.opened !== null) round = "changed";
      }
      return round;
    },
    links: () =>
      openings.flatMap(({ opened }) =>
        opened === null ? [] : [{ from: [opened.data], to: opened.mapping.device, isReplacement: true }],
      ),
    state: (device) => describeState(openings, device),
    problems: () => openings.flatMap((opening) => troublesOf(context, opening)),
    required: () => openings.map((opening) => requiredOf(context, opening)),
  };
}

/** What an earlier search has opened. */
function adopt({ machine, devices }: StorageContext, opening: Opening): Opening | null {
  const { name } = opening.wish;
  const mapping = machine.listMappings().find((one) => one.name === name && one.uuid.startsWith("CRYPT-VERITY-"));
  if (mapping === undefined) return null;
  const below = listBelow(machine, mapping.device);
  const data = devices().find((device) => below.includes(device.name))?.name;
  return data === undefined ? null : { ...opening, opened: { mapping, data, isAdopted: true } };
}

/** Tries every combination of devices that was not tried yet, until one opens. */
function tryAll(context: StorageContext, before: Opening, isRefused: (device: BlockDevice) => boolean): Opening {
  const { needsSignature, options } = before.wish;
  let opening = before;
  for (const candidate of listCandidates(context, before.wish, isRefused)) {
    const { data, hashes, fec } = candidate;
    const parts = [data, hashes, ...(fec === null ? [] : [fec])];
    const searched = needsSignature && options.signature === null ? listBeside(context, data) : [];
    const others = opening.refusals.filter((refusal) => !isSameList(refusal.parts, parts));
    const known = opening.refusals.find((refusal) => !others.includes(refusal));
    if (known !== undefined && isSameList(known.searched, searched)) continue;
    const tried = tryOne(context, before.wish, candidate);
    if (!("error" in tried)) return { ...opening, opened: { mapping: tried, data: data.name, isAdopted: false } };
    opening = { ...opening, refusals: [...others, { ...tried, parts, searched }] };
  }
  return opening;
}

function tryOne(
  context: StorageContext,
  wish: VerityVolume,
  candidate: Candidate,
): Mapping | Pick<Refusal, "error" | "isNamed"> {
  try {
    return openReadable(context, orderOf(context, wish, candidate));
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    context.voice.debug(sentence(error));
    const mayCome = isProblem(error, "verity-signature-missing") && !hasAllPartitions(context, candidate.data);
    return { error, isNamed: candidate.isNamed && !mayCome };
  }
}

/** Opens the volume and has the kernel read what the probe needs: a device with the same first block may still be another one. */
function openReadable(context: StorageContext, order: VerityOrder): Mapping {
  const { machine } = context;
  const mark = machine.kernelLogMark();
  const mapping = openVerity(context, order);
  const device = context.look(mapping.device);
  if (device?.unreadable === null) return mapping;
  const [offset] = findDamage(machine, mapping.device, machine.kernelLogSince(mark)) ?? [];
  removeMapping(machine, mapping);
  const { name } = order.data;
  const why = device?.unreadable ?? "it is gone";
  throw offset === undefined
    ? problem("device-unreadable", { node: name, why })
    : problem("medium-damaged", { name, offset });
}

function isSameList(one: readonly BlockDevice[], other: readonly BlockDevice[]): boolean {
  return one.length === other.length && one.every((device, index) => device === other[index]);
}

function orderOf(context: StorageContext, wish: VerityVolume, { data, hashes, fec }: Candidate): VerityOrder {
  const { name, rootHash, options, needsSignature } = wish;
  const given = readSignature(context.machine, options.signature);
  const signature = given ?? (needsSignature ? findSignature(context, data, rootHash) : null);
  if (signature === null && needsSignature) throw problem("verity-signature-missing", { name: data.node });
  const parts = { data: partOf(data), hashes: partOf(hashes), fec: fec === null ? null : partOf(fec) };
  return { mapping: name, rootHash, options, signature, ...parts };
}

function partOf({ node, number, sizeBytes }: BlockDevice): VerityPart {
  return { node, number, sizeBytes, name: node };
}

function describeState(openings: readonly Opening[], device: BlockDevice): DeviceState | null {
  for (const { wish, opened, refusals } of openings) {
    if (opened?.data === device.name) {
      return { kind: "open", text: `verified as /dev/mapper/${wish.name}`, closes: !opened.isAdopted };
    }
    const refusal = refusals.find(({ parts }) => parts[0] === device);
    if (opened === null && refusal !== undefined) {
      return { kind: "closed", isWanted: true, text: `not verified: ${headline(causeOf(refusal.error))}` };
    }
  }
  return null;
}

function causeOf(error: BootError): Error {
  return error.cause instanceof Error ? error.cause : error;
}

function troublesOf(context: StorageContext, { wish, opened, refusals }: Opening): readonly Trouble[] {
  if (opened !== null) return [];
  if (refusals.length > 0) return refusals.map(({ error, isNamed }) => ({ error, isFatal: isNamed }));
  const { name, data, hash, rootHash, options } = wish;
  const missing = (part: "data device" | "hash tree" | "error correction", specs: readonly DeviceSpec[]) => ({
    error: problem("verity-device-missing", { name, part, spec: specs.map(specText).join(" or ") }),
    isFatal: false,
  });
  if (data.every((spec) => context.find(spec).length === 0)) return [missing("data device", data)];
  const fec = options.fec?.kind === "device" ? options.fec.device : null;
  if (fec !== null && context.find(fec).length === 0) return [missing("error correction", [fec])];
  return [missing("hash tree", [hash ?? partitionOf(rootHash, "hash")])];
}

function requiredOf(context: StorageContext, { wish, opened }: Opening): RequiredVolume {
  const outside = opened?.data ?? wish.data.flatMap((spec) => context.find(spec))[0]?.name ?? null;
  return { outside, inside: opened?.mapping.device ?? null, isVerified: true };
}

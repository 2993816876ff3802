import type { BlockDevice } from "../../../devices/block-devices.ts";
import { isPluggable } from "../../../devices/drives.ts";
import { findDamage } from "../../../filesystems/mount-causes.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { DeviceSpec } from "../../../parameters/device-spec.ts";
import { partitionOf } from "../../../plan/verity/verity.ts";
import type { VerityVolume } from "../../../plan/verity/volumes.ts";
import { BootError } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
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
import { openVerity } from "./open.ts";
import type { VerityOrder, VerityPart } from "./order.ts";
import { findSignature, readSignature } from "./signature.ts";

/** A volume at work. */
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
  /** True if a parameter or the root hash itself names these devices, and none is on a stick, so waiting for others is in vain. */
  readonly isNamed: boolean;
}

/** The devices that may be the parts of a volume. */
interface Candidate {
  readonly data: BlockDevice;
  readonly hashes: BlockDevice;
  readonly fec: BlockDevice | null;
  readonly isNamed: boolean;
}

/** Opens the volumes that dm-verity verifies. Which of several devices is the right one is decided by the root hash, not by a name. */
export function startVerity(context: StorageContext, plan: Pick<StoragePlan, "verity">): Assembly {
  const openings = plan.verity.map((wish): Opening => ({ wish, opened: null, refusals: [] }));
  return {
    advance() {
      let round: Round = "idle";
      for (const [index, opening] of openings.entries()) {
        if (opening.opened !== null) continue;
        const next = adopt(context, opening) ?? tryAll(context, opening);
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
function tryAll(context: StorageContext, before: Opening): Opening {
  let opening = before;
  for (const candidate of listCandidates(context, opening.wish)) {
    const { data, hashes, fec, isNamed } = candidate;
    const parts = [data, hashes, ...(fec === null ? [] : [fec])];
    if (opening.refusals.some((refusal) => isSameList(refusal.parts, parts))) continue;
    try {
      const mapping = openReadable(context, orderOf(context, opening.wish, candidate));
      return { ...opening, opened: { mapping, data: data.name, isAdopted: false } };
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      context.voice.debug(sentence(error));
      opening = { ...opening, refusals: [...opening.refusals, { error, parts, isNamed }] };
    }
  }
  return opening;
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

/** Returns the devices that may be the parts, those that a name or the root hash tells first. */
function listCandidates(
  context: StorageContext,
  { rootHash, data, hash, options }: VerityVolume,
): readonly Candidate[] {
  const all = [...new Set(data.flatMap(context.find))].filter((device) => context.state(device) === null);
  // A stick may have a copy of the first block.
  const isPlugged = (device: BlockDevice) => isPluggable(context.machine, device);
  const found = [...all.filter((device) => !isPlugged(device)), ...all.filter(isPlugged)];
  const fecs = options.fec?.kind === "device" ? context.find(options.fec.device) : [null];
  const own = options.hashOffset !== null && hash === null;
  const named = hash === null ? context.find(partitionOf(rootHash, "hash")) : context.find(hash);
  const others = hash === null && options.hasSuperblock ? context.devices().filter(isTree) : [];
  return found.flatMap((device) => {
    const trees = own ? [device] : [...named, ...others.filter((other) => !named.includes(other))];
    return trees.flatMap((hashes) =>
      fecs.map((fec) => {
        // Anyone can give a stick the names of the root: the real one may still come.
        const isNamed = (own || named.includes(hashes)) && !isPlugged(device) && !isPlugged(hashes);
        return { data: device, hashes, fec, isNamed };
      }),
    );
  });
}

function isTree({ facts }: BlockDevice): boolean {
  return facts.type === "DM_verity_hash";
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

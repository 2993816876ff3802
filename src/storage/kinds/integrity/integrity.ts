import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { IntegrityVolume } from "../../../parameters/crypt/integrity.ts";
import { BootError } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { headline } from "../../../problems/report.ts";
import type { Assembly, DeviceState, Round, StorageContext, StoragePlan } from "../../contract.ts";
import { listBelow } from "../../device-mapper/mapping.ts";
import { specText } from "../../search-words.ts";
import { mappingUuid } from "../crypt/lock.ts";
import { createStickGrace } from "../grace.ts";
import { openIntegrity } from "./open.ts";
import { arePluggable, type IntegrityParts, isCopyable, listParts } from "./parts.ts";

interface Opening {
  readonly volume: IntegrityVolume;
  /** null while it is closed. */
  opened: { readonly mapping: Mapping; readonly below: readonly string[]; readonly isAdopted: boolean } | null;
  /** What was refused, and why; each pair of devices is tried once. */
  readonly refusals: (IntegrityParts & { readonly error: BootError })[];
}

/**
 * Opens the devices that dm-integrity alone checks, as parameters name them. The superblock does not say with which algorithm, and
 * opening one writes to it: so nothing is opened unasked, and before a resume only as the last resort.
 */
export function startIntegrity(
  context: StorageContext,
  plan: Pick<StoragePlan, "integrity" | "roots" | "isForResume" | "rootTimeoutMs">,
): Assembly {
  const { integrity, roots, isForResume = false } = plan;
  const openings = integrity.map((volume): Opening => ({ volume, opened: null, refusals: [] }));
  let isLate = !isForResume;
  const isNamed = (name: string) => roots.some((spec) => spec.by === "path" && spec.path === `/dev/mapper/${name}`);
  const leftForDisk = createStickGrace(context.machine.nowMs, plan);
  const mayOpen = ({ volume: { name } }: Opening) => isLate || isNamed(name);
  return {
    advance() {
      const closed = openings.filter(({ opened }) => opened === null);
      const rounds = closed.map((opening): Round => {
        // What was refused, and could not be closed, is not what an earlier search has opened.
        if (opening.refusals.length === 0 && adopt(context, opening)) return "changed";
        return mayOpen(opening) ? tryNext(context, opening, leftForDisk) : "idle";
      });
      return rounds.find((round) => round === "changed") ?? rounds.find((round) => round !== "idle") ?? "idle";
    },
    lastResort() {
      isLate = true;
    },
    links: () =>
      openings.flatMap(({ opened }) =>
        opened === null ? [] : [{ from: opened.below, to: opened.mapping.device, isReplacement: true }],
      ),
    state: (device) => describeState(context, openings, device),
    problems: () =>
      openings
        .filter(({ opened }) => opened === null)
        .flatMap((opening) => listErrors(context, opening).map((error) => ({ error, isFatal: false }))),
  };
}

/** Takes over what an earlier search has opened. */
function adopt({ machine }: StorageContext, opening: Opening): boolean {
  const { name } = opening.volume;
  if (machine.lstat(`/dev/mapper/${name}`) === null) return false;
  const uuid = mappingUuid("INTEGRITY", "", name);
  const mapping = machine.listMappings().find((one) => one.name === name && one.uuid === uuid);
  if (mapping === undefined) return false;
  opening.opened = { mapping, below: listBelow(machine, mapping.device), isAdopted: true };
  return true;
}

function tryNext(context: StorageContext, opening: Opening, leftForDisk: (name: string) => number): Round {
  const { volume, refusals } = opening;
  const all = listParts(context, volume).filter(
    ({ device, data }) => !refusals.some((one) => one.device === device && one.data === data),
  );
  const [parts] = all;
  if (parts === undefined) return "idle";
  // A disk that has not answered may be the one that is meant.
  const isDoubtful = arePluggable(context.machine, parts) && isCopyable(volume) && !context.isSettled();
  const leftMs = isDoubtful ? leftForDisk(volume.name) : 0;
  if (leftMs > 0) {
    const text = `/dev/mapper/${volume.name}: ${parts.device.node} is on a stick, in place of a disk that has not answered`;
    return { text, leftMs };
  }
  context.beforeWriting();
  try {
    const mapping = openIntegrity(context, volume, parts);
    opening.opened = { mapping, below: [...new Set([parts.device.name, parts.data.name])], isAdopted: false };
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    refusals.push({ ...parts, error });
    return "idle";
  }
  if (all.length > 1) context.voice.warn(describeChoice(volume, all));
  return "changed";
}

/** Says which of several devices is used, as is said of a root that several match. */
function describeChoice({ name }: IntegrityVolume, all: readonly IntegrityParts[]): string {
  const texts = all.map(({ device, data }) => (device === data ? device.node : `${device.node} with ${data.node}`));
  return `${all.length} devices match rd.integrity= for /dev/mapper/${name}: ${texts.join(" and ")}; using ${texts[0]}`;
}

function describeState(context: StorageContext, openings: readonly Opening[], device: BlockDevice): DeviceState | null {
  for (const { volume, opened, refusals } of openings) {
    const { name, device: spec, options } = volume;
    if (opened?.below.includes(device.name))
      return { kind: "open", text: `open as /dev/mapper/${name}`, closes: !opened.isAdopted };
    const specs = [spec, ...(options.dataDevice === null ? [] : [options.dataDevice])];
    if (opened !== null || !specs.some((one) => context.find(one).includes(device))) continue;
    const error = refusals.find((one) => one.device === device || one.data === device)?.error;
    const text = error === undefined ? `closed: a part of /dev/mapper/${name}` : headline(error);
    return { kind: "closed", isWanted: true, text };
  }
  return device.facts.type === "DM_integrity"
    ? { kind: "closed", isWanted: false, text: "dm-integrity: no rd.integrity= names it" }
    : null;
}

function listErrors(context: StorageContext, { volume, refusals }: Opening): readonly BootError[] {
  if (refusals.length > 0) return refusals.map(({ error }) => error);
  const { name, device, options } = volume;
  const specs = [device, ...(options.dataDevice === null ? [] : [options.dataDevice])];
  const [[other] = [], [data] = []] = specs.map(context.find);
  if (other !== undefined && other.facts.type !== "DM_integrity")
    return [problem("integrity-refused", { name, node: other.node, why: "it has no dm-integrity superblock" })];
  if (other !== undefined && data !== undefined) {
    const why = `its data are on ${data.node}, and either both or neither must be on a removable disk`;
    return [problem("integrity-refused", { name, node: other.node, why })];
  }
  return specs
    .filter((spec) => context.find(spec).length === 0)
    .map((spec) => problem("integrity-device-missing", { name, spec: specText(spec) }));
}

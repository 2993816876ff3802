import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import type { Mapping, MappingTarget } from "../../../machine/encryption.ts";
import { readText } from "../../../machine/small-files.ts";
import { problem } from "../../../problems/problem.ts";
import { formatBytes } from "../../../problems/size.ts";
import type { StorageContext } from "../../contract.ts";
import { createTable, requireTarget } from "../../device-mapper/mapping.ts";
import type { JudgedGroup } from "./judge.ts";
import { listMembers, type PlannedMapping, type PlannedTarget, planVolume, type TableWord } from "./plan-volume.ts";

/** The modules of the targets that dm-mod does not contain. */
const MODULES: Readonly<Record<string, string>> = { linear: "dm-mod", striped: "dm-mod" };

/** Creates the devices of a volume that are not there yet, and returns all of them, the volume last. Throws BootError. */
export function activateVolume(
  context: StorageContext,
  judged: JudgedGroup<BlockDevice>,
  volume: LogicalVolume,
): readonly Mapping[] {
  const plan = planVolume(judged.group, volume);
  const name = `${judged.group.name}/${volume.name}`;
  if ("refusal" in plan) throw problem("volume-refused", { volume: name, why: plan.refusal });
  const lack = explainLack(judged, listMembers(plan.mappings));
  if (lack !== null) throw problem("volume-refused", { volume: name, why: lack });
  const made: Mapping[] = [];
  for (const mapping of plan.mappings) made.push(createOne(context, judged, mapping, made));
  return made;
}

/** Names the physical volumes that are missing of `needed`; null if none is. */
export function explainLack(
  { missing }: Pick<JudgedGroup<BlockDevice>, "missing">,
  needed: readonly string[],
): string | null {
  const lacking = missing.filter(({ id }) => needed.includes(id));
  if (lacking.length === 0) return null;
  const names = lacking.map(({ id, sectors }) => `${id}${sectors > 0 ? ` (${formatBytes(sectors * 512)})` : ""}`);
  return `the physical volume ${names.join(" and ")} is missing`;
}

function createOne(
  context: StorageContext,
  judged: JudgedGroup<BlockDevice>,
  { name, uuid, readOnly, targets }: PlannedMapping,
  made: readonly Mapping[],
): Mapping {
  const known = context.machine.listMappings().find((one) => one.uuid === uuid);
  if (known !== undefined) return known;
  for (const type of new Set(targets.map((target) => target.type))) requireTarget(context, type, MODULES[type]);
  const numberOf = (word: TableWord) => resolveWord(context, judged, word, made);
  return createTable(context, { name, uuid, readOnly, targets: targets.map((target) => encode(target, numberOf)) });
}

function encode(
  { startSector, sectors, type, words }: PlannedTarget,
  numberOf: (word: TableWord) => string,
): MappingTarget {
  return { startSector, sectors, type, parameters: Buffer.from(words.map(numberOf).join(" ")) };
}

/** Returns a word as the kernel reads it: a device as "major:minor". */
function resolveWord(
  { machine }: Pick<StorageContext, "machine">,
  { members }: Pick<JudgedGroup<BlockDevice>, "members">,
  word: TableWord,
  made: readonly Mapping[],
): string {
  if (typeof word === "string") return word;
  if ("member" in word) return members.get(word.member)?.number ?? "";
  const mapping = made.find(({ name }) => name === word.mapping);
  return mapping === undefined ? "" : readText(machine, `/sys/class/block/${mapping.device}/dev`);
}

import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import type { Mapping, MappingTarget } from "../../../machine/encryption.ts";
import { readText } from "../../../machine/small-files.ts";
import { tolerateRefusal } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { formatBytes } from "../../../problems/size.ts";
import type { StorageContext } from "../../contract.ts";
import { createTable, listBelow, removeMapping, requireTarget } from "../../device-mapper/mapping.ts";
import type { JudgedGroup } from "./judge.ts";
import { listMembers, planVolume } from "./plan-volume.ts";
import type { PlannedMapping, PlannedTarget, TableWord } from "./planning.ts";

/** The modules of the targets that dm-mod does not contain. */
const MODULES: Readonly<Record<string, string>> = { linear: "dm-mod", striped: "dm-mod", thin: "dm-thin-pool" };

/** What lvm2 tells udev about a device that only other devices use: no link, no look at its content. */
const HIDDEN_FLAGS = ["SUBSYSTEM", "DISK", "OTHER"].map((rules) => `DM_UDEV_DISABLE_${rules}_RULES_FLAG`);

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
  try {
    for (const mapping of plan.mappings) {
      const flags = mapping === plan.mappings.at(-1) ? [] : HIDDEN_FLAGS;
      made.push(createOne(context, judged, mapping, made, flags));
    }
    return made;
  } catch (error) {
    tolerateRefusal(() => {
      for (const mapping of made.toReversed()) removeMapping(context.machine, mapping);
    });
    throw error;
  }
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
  flags: readonly string[],
): Mapping {
  // A group may have a thousand volumes: all mappings are listed only if one of them has the name.
  const isNew = context.machine.lstat(`/dev/mapper/${name}`) === null;
  const known = isNew ? undefined : context.machine.listMappings().find((one) => one.uuid === uuid);
  // Anyone can give a group this UUID: only a device on these very disks is the volume.
  const own = [...[...judged.members.values()].map((member) => member.name), ...made.map(({ device }) => device)];
  if (known !== undefined && listBelow(context.machine, known.device).every((below) => own.includes(below)))
    return known;
  for (const type of new Set(targets.map((target) => target.type))) requireTarget(context, type, MODULES[type]);
  // The kernel would have modprobe load it, which the image may not have; dm-raid brings the other levels along.
  if (targets.some(({ words }) => words[0] === "raid0")) context.drivers.loadByName("raid0");
  const numberOf = (word: TableWord) => resolveWord(context, judged, word, made);
  return createTable(
    context,
    { name, uuid, readOnly, targets: targets.map((target) => encode(target, numberOf)) },
    flags,
  );
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

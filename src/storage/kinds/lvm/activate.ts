import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import type { Mapping, MappingTarget } from "../../../machine/encryption.ts";
import { readText } from "../../../machine/small-files.ts";
import { tolerateRefusal } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import type { StorageContext } from "../../contract.ts";
import { createTable, listBelow, removeMapping, requireTarget } from "../../device-mapper/mapping.ts";
import type { JudgedGroup } from "./judge.ts";
import { readAheadOf } from "./read-ahead.ts";
import { planVolume } from "./tables/plan-volume.ts";
import type { PlannedMapping, PlannedTarget, TableWord } from "./tables/planning.ts";
import { kernelType, RAID_TYPES } from "./tables/raid.ts";
import { checkThinPool } from "./thin-check.ts";

/** The modules of targets whose names differ. */
const MODULES: Readonly<Record<string, string>> = {
  ...{ linear: "dm-mod", striped: "dm-mod", error: "dm-mod" },
  thin: "dm-thin-pool",
  ...{ "snapshot-origin": "dm-snapshot", "snapshot-merge": "dm-snapshot" },
};

/** Modules that the kernel would have modprobe load when it reads a table, which the image may not have. */
const WANTED: readonly (readonly [word: string, name: string])[] = [
  // The personalities of md: dm-raid needs none of them as a symbol.
  ...["raid0", "raid1", "raid10"].map((level) => [level, level] as const),
  ...RAID_TYPES.filter((type) => /^raid[456]/.test(type)).map((type) => [kernelType(type), "raid456"] as const),
  ...["smq", "mq"].map((policy) => [policy, "dm-cache-smq"] as const),
  ["cleaner", "dm-cache-cleaner"],
];
const HASH = /^internal_hash:(\w+)$/;

/** What lvm2 tells udev about a device that only other devices use: no link, no look at its content. */
const HIDDEN_FLAGS = ["SUBSYSTEM", "DISK", "OTHER"].map((rules) => `DM_UDEV_DISABLE_${rules}_RULES_FLAG`);

/** Creates the devices of a volume that are not there yet, and returns all of them, the volume last. Throws BootError. */
export function activateVolume(
  context: StorageContext,
  judged: JudgedGroup<BlockDevice>,
  volume: LogicalVolume,
  isPartial: boolean,
): readonly Mapping[] {
  const plan = planVolume(judged.group, volume, { missing: judged.missing, isPartial });
  const name = `${judged.group.name}/${volume.name}`;
  if ("refusal" in plan) throw problem("volume-refused", { volume: name, why: plan.refusal });
  const made: Mapping[] = [];
  const created: Mapping[] = [];
  try {
    for (const planned of plan.mappings) {
      const known = findActive(context, judged, planned, made);
      const mapping = known ?? createOne(context, judged, planned, made);
      made.push(mapping);
      if (known === null) created.push(mapping);
    }
    setReadAhead(context, volume, made.at(-1)?.device ?? "");
    return made;
  } catch (error) {
    tolerateRefusal(() => {
      for (const mapping of created.toReversed()) removeMapping(context.machine, mapping);
    });
    throw error;
  }
}

/** Returns the device that was created before: of a pool, or of an origin. */
function findActive(
  { machine }: StorageContext,
  judged: JudgedGroup<BlockDevice>,
  { name, uuid }: PlannedMapping,
  made: readonly Mapping[],
): Mapping | null {
  // A group may have a thousand volumes: all mappings are listed only if one of them has the name.
  if (machine.lstat(`/dev/mapper/${name}`) === null) return null;
  const known = machine.listMappings().find((one) => one.uuid === uuid);
  // Anyone can give a group this UUID: only a device on these very disks is the volume.
  const own = [...[...judged.members.values()].map((member) => member.name), ...made.map(({ device }) => device)];
  const isOwn = known !== undefined && listBelow(machine, known.device).every((below) => own.includes(below));
  return isOwn ? known : null;
}

function createOne(
  context: StorageContext,
  judged: JudgedGroup<BlockDevice>,
  planned: PlannedMapping,
  made: readonly Mapping[],
): Mapping {
  const { name, uuid, readOnly, isHidden, targets } = planned;
  for (const type of new Set(targets.map((target) => target.type))) requireTarget(context, type, MODULES[type]);
  loadWanted(context, targets);
  checkThinPool(context, planned);
  const numberOf = (word: TableWord) => resolveWord(context, judged, word, made);
  return createTable(
    context,
    { name, uuid, readOnly, targets: targets.map((target) => encode(target, numberOf)) },
    isHidden ? HIDDEN_FLAGS : [],
  );
}

/** Sets how far the kernel reads ahead, as lvm2 does. A kernel that refuses reads more slowly, and nothing else. */
function setReadAhead({ machine }: StorageContext, volume: LogicalVolume, device: string): void {
  const wanted = readAheadOf(volume);
  const path = `/sys/class/block/${device}/queue/read_ahead_kb`;
  if (wanted === null || machine.stat(path) === null) return;
  tolerateRefusal(() => {
    const isEnough = wanted.isLeast && Number(readText(machine, path)) >= wanted.kib;
    if (!isEnough) machine.writeFile(path, String(wanted.kib));
  });
}

function loadWanted({ drivers }: StorageContext, targets: readonly PlannedTarget[]): void {
  const words = targets.filter(({ type }) => type !== "linear").flatMap((target) => target.words);
  for (const [word, name] of WANTED) if (words.includes(word)) drivers.loadByName(name);
  for (const word of words) {
    const [, hash] = (typeof word === "string" && HASH.exec(word)) || [];
    if (hash !== undefined) drivers.loadByAlias(`crypto-${hash}`);
  }
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
  const number = mapping === undefined ? "" : readText(machine, `/sys/class/block/${mapping.device}/dev`);
  return `${word.prefix ?? ""}${number}`;
}

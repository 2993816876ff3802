import { parseVolumeGroup } from "../../src/formats/lvm/volume-group.ts";
import { listVolumes } from "../../src/storage/kinds/lvm/tables/group-index.ts";
import { planVolume } from "../../src/storage/kinds/lvm/tables/plan-volume.ts";
import type { PlannedMapping, TableWord } from "../../src/storage/kinds/lvm/tables/planning.ts";

/** The lines that dmsetup shows of one layout, or that levain plans: "name uuid access: table". */
export interface ComparedLayout {
  readonly name: string;
  readonly theirs: readonly string[];
  /** null: levain refuses a volume of it. */
  readonly ours: readonly string[] | null;
  /** Those of the volumes that levain activates, also if it refuses another one. */
  readonly activated: readonly string[];
}

/** What lvm2 and dmsetup wrote about a layout. */
export type RecordedLayout = Readonly<Record<"vg" | "table" | "info" | "pvs", string>>;

/** Compares what lvm2 made of a layout with what levain plans for the same metadata. */
export function compareLayout(name: string, recorded: RecordedLayout): ComparedLayout {
  const lines = (kind: keyof RecordedLayout) =>
    recorded[kind]
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  const devices = lines("info").map((line) => {
    const [major = "", minor = "", attributes = "", mapping = "", uuid = ""] = line.split(/\s+/);
    return {
      number: `${major}:${minor}`,
      mapping,
      uuid,
      access: attributes.endsWith("r") ? "read-only" : "writable",
    };
  });
  const tables = lines("table").map((line) => {
    const [, mapping = "", table = ""] = /^(\S+): (.*)$/.exec(line) ?? [];
    return { mapping, table };
  });
  const describe = (mapping: string, uuid: string, access: string, table: readonly string[]) =>
    `${mapping} ${uuid} ${access}: ${table.join(" | ")}`;
  const tableOf = (mapping: string) =>
    tables.filter((line) => line.mapping === mapping).map(({ table }) => unify(table));
  // levain activates a pool for its volumes only; lvm2 gives it a device of its own name besides.
  const compared = devices.filter(({ uuid }) => !uuid.endsWith("-pool"));
  const theirs = compared.map((one) => describe(one.mapping, one.uuid, one.access, tableOf(one.mapping))).sort();
  const members = new Map(lines("pvs").map((line) => line.split(/\s+/) as [string, string]));
  const numberOf = (word: TableWord) => {
    if (typeof word === "string") return word;
    if ("mapping" in word)
      return `${word.prefix ?? ""}${devices.find(({ mapping }) => mapping === word.mapping)?.number ?? word.mapping}`;
    const disk = members.get(word.member) ?? "";
    return `254:${(disk.charCodeAt(disk.length - 1) - 97) * 16}`;
  };
  const group = parseVolumeGroup(lines("vg").join("\n"));
  if (group === null) throw new Error(`${name}: the text cannot be read`);
  const missing = group.physicalVolumes.filter((_, index) => index === MISSING[name]);
  const plans = listVolumes(group).map((volume) => planVolume(group, volume, { missing, isPartial: true }));
  const planned = new Map<string, PlannedMapping>();
  for (const plan of plans) {
    if ("mappings" in plan) for (const mapping of plan.mappings) planned.set(mapping.name, mapping);
  }
  const tableLines = ({ targets }: PlannedMapping) =>
    targets.map(({ startSector, sectors, type, words }) =>
      unify([startSector, sectors, type, ...words.map(numberOf)].join(" ")),
    );
  const accessOf = ({ readOnly }: PlannedMapping) => (readOnly ? "read-only" : "writable");
  const activated = [...planned.values()]
    .map((one) => describe(one.name, one.uuid, accessOf(one), tableLines(one)))
    .sort();
  return { name, theirs, ours: plans.some((plan) => "refusal" in plan) ? null : activated, activated };
}

/** The number of the physical volume that is missing. */
const MISSING: Readonly<Record<string, number>> = { "raid1-missing": 1 };

/** Takes out what the kernel shows otherwise than it was given. */
function unify(table: string): string {
  const [, integrity, options = ""] = /^(\d+ \d+ integrity \S+ 0 \d+ [A-Z]) \d+ (.*)$/.exec(table) ?? [];
  // dm-integrity shows all its settings.
  if (integrity !== undefined)
    return `${integrity} ${options
      .split(" ")
      .filter((word) => /^(?:meta_device|internal_hash):/.test(word))
      .sort()
      .join(" ")}`;
  return (
    table
      // "mq" is another name of "smq". lvm2 2.03.16 uses it for a volume that is a cache, whatever policy the text says.
      .replace(/(?<=^\d+ \d+ cache .*) mq /, " smq ")
      // dm-raid shows 0.
      .replace(/max_write_behind \d+/, "max_write_behind N")
  );
}

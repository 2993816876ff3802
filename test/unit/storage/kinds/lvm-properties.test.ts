import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseVolumeGroup, type VolumeGroup } from "../../../../src/formats/lvm/volume-group.ts";
import { listVolumes } from "../../../../src/storage/kinds/lvm/tables/group-index.ts";
import { planVolume } from "../../../../src/storage/kinds/lvm/tables/plan-volume.ts";
import type { PlannedMapping, TableWord } from "../../../../src/storage/kinds/lvm/tables/planning.ts";
import { createRandomBelow } from "../../../support/random.ts";

// The texts of lvm2, changed in one place: whatever a crafted group says, no table may contain a word that it brings along, and a
// device is made only of physical volumes of the group and of devices that were made before.

const RECORDED = (await Bun.file(join(import.meta.dir, "../../../corpus/lvm/layouts.json")).json()) as Readonly<
  Record<string, { readonly vg: string }>
>;
const TEXTS = Object.values(RECORDED).map(({ vg }) => vg);

/** What a table may contain besides numbers and devices. */
const WORDS =
  /^(?:-|P|B|J|D|R|s|core|disk|nosync|handle_errors|raid(?:0|1|4|5_\w\w?|6_\w\w(?:_6)?|6_n_6|10)|[a-z]+(?:_[a-z]+)*2?|raid10_copies|(?:block_size|journal_sectors|interleave_sectors|buffer_sectors|journal_watermark|commit_time|bitmap_flush_interval|sectors_per_bit):\d+|internal_hash:(?:crc32c|xxhash64|sha1|sha256))$/;

const VALUES = [
  ...["0", "1", "-1", "4294967296", "9007199254740991", "99999999999999999999", "1.5"],
  ...['""', '"0 8:0 8:16"', '"8:0"', '"/dev/sda"', '"writeback 0"', '"a"', '"a_rimage_0"', '"p"', '"constructor"'],
  ...["[]", '["a", 0]', '["pv0", 99999999999]', '["a", "a", "a", "a"]'],
];

/** Changes one value of a text, takes one out, or gives a segment another type. */
function change(text: string, random: (bound: number) => number): string {
  const lines = text.split("\n");
  const at = random(lines.length);
  const [, name = ""] = /^\s*(\w+) = /.exec(lines[at] ?? "") ?? [];
  if (name === "") return change(text, random);
  const types = TEXTS.flatMap((one) => [...one.matchAll(/type = "([^"]+)"/g)].map(([, type]) => `"${type}"`));
  const values = name === "type" ? types : VALUES;
  // An array that has lost its first line makes the text malformed, which is one of the cases.
  if (random(8) === 0) lines.splice(at, 1);
  else lines[at] = `${name} = ${values[random(values.length)]}`;
  return lines.join("\n");
}

/** Lists what is wrong with the tables. */
function listFaults(group: VolumeGroup, mappings: readonly PlannedMapping[]): readonly string[] {
  const ids = new Set(group.physicalVolumes.map(({ id }) => id));
  const isGood = (word: TableWord, before: readonly PlannedMapping[]): boolean => {
    if (typeof word === "string") return /^\d+$/.test(word) || WORDS.test(word);
    return "member" in word ? ids.has(word.member) : before.some(({ name }) => name === word.mapping);
  };
  return mappings.flatMap(({ name, targets }, index) => {
    const before = mappings.slice(0, index);
    const words = targets.flatMap((target) => target.words).filter((word) => !isGood(word, before));
    const places = targets.filter(({ sectors, startSector }) => !(sectors > 0 && startSector >= 0));
    const isTwice = before.some((other) => other.name === name);
    return words.length > 0 || places.length > 0 || isTwice ? JSON.stringify({ name, words, places, isTwice }) : [];
  });
}

test.each([1, 2, 3, 4])("no changed text of lvm2 makes a table that it should not (seed %d)", (seed) => {
  const random = createRandomBelow(seed);
  let plans = 0;
  for (let round = 0; round < 1200; round++) {
    let text = TEXTS[random(TEXTS.length)] ?? "";
    for (let count = 1 + random(3); count > 0; count--) text = change(text, random);
    const group = parseVolumeGroup(text);
    if (group === null) continue;
    const missing = group.physicalVolumes.filter(() => random(4) === 0);
    for (const volume of listVolumes(group)) {
      const plan = planVolume(group, volume, { missing, isPartial: random(2) === 0 });
      if ("refusal" in plan) continue;
      plans++;
      expect(listFaults(group, plan.mappings)).toEqual([]);
    }
  }
  expect(plans).toBeGreaterThan(300);
});

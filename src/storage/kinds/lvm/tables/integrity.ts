import { countOf, textOf } from "./fields.ts";
import { malformed, needAll, type PlanSegment, type TableWord } from "./planning.ts";

/** What lvm2 knows (lib/integrity/integrity.c): another name could be further words of the table. */
const MODES: Readonly<Record<string, string>> = { bitmap: "B", journal: "J", B: "B", J: "J", D: "D", R: "R" };
const HASHES = ["crc32c", "xxhash64", "sha1", "sha256"];

/** In the order in which libdm puts them. */
const SETTINGS = [
  "journal_sectors",
  "interleave_sectors",
  "buffer_sectors",
  "journal_watermark",
  "commit_time",
  "bitmap_flush_interval",
  "sectors_per_bit",
];

/** Plans dm-integrity below a RAID (Documentation/admin-guide/device-mapper/dm-integrity.rst). */
export const planIntegrity: PlanSegment = (planning, { fields }) => {
  const [mode, hash] = [MODES[textOf(fields, "mode")], textOf(fields, "internal_hash")];
  const [sectors, tag, block] = ["data_sectors", "tag_size", "block_size"].map((name) => countOf(fields, name, 0));
  if (mode === undefined || !HASHES.includes(hash) || !sectors || !tag || !block) return malformed("checksums");
  const devices = needAll(planning, [
    { name: textOf(fields, "origin") },
    ...(fields.has("meta_dev") ? [{ name: textOf(fields, "meta_dev") }] : []),
  ]);
  if ("refusal" in devices) return devices;
  const [origin = "", meta] = devices;
  const options = [
    "fix_padding",
    `block_size:${block}`,
    `internal_hash:${hash}`,
    ...(meta === undefined ? [] : [withPrefix("meta_device:", meta)]),
    ...(fields.get("recalculate") === 1 ? ["recalculate"] : []),
    ...SETTINGS.flatMap((name) => (fields.has(name) ? `${name}:${countOf(fields, name, 0)}` : [])),
    ...(fields.get("allow_discards") === 1 ? ["allow_discards"] : []),
  ];
  return {
    type: "integrity",
    sectors,
    words: [origin, "0", String(tag), mode, String(options.length), ...options],
  };
};

function withPrefix(prefix: string, word: TableWord): TableWord {
  return typeof word === "object" && "mapping" in word ? { ...word, prefix } : word;
}

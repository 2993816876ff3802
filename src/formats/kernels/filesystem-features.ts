import { be32, le32, le64 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** The first kernel that mounts a filesystem with the feature, "6.10"; null: no released kernel does. */
type Since = string | null;

/** A feature that a filesystem needs. */
export interface Feature {
  /** As mkfs names it, or the bit if levain does not know it. */
  readonly name: string;
  /** "unknown": a newer mkfs than levain knows made it. */
  readonly since: Since | "unknown";
}

interface Field {
  readonly offset: number;
  readonly read: (bytes: Uint8Array) => bigint;
  /** By bit; what every kernel that levain runs on knows (Linux 4.19) has no name here. */
  readonly bits: Readonly<Record<number, readonly [name: string, since: Since]>>;
  /** The bits that all of them know. */
  readonly old: bigint;
}

const le = (bytes: Uint8Array) => BigInt(le32(bytes, 0));
const be = (bytes: Uint8Array) => BigInt(be32(bytes, 0));
const long = (bytes: Uint8Array) => le64(bytes, 0);

const EXT_FIELDS: readonly Field[] = [
  // s_feature_incompat and s_feature_ro_compat of fs/ext4/ext4.h.
  {
    offset: 1024 + 0x60,
    read: le,
    old: 0x1e7d6n,
    bits: { 0: ["compression", null], 12: ["dirdata", null], 17: ["casefold", "5.2"] },
  },
  { offset: 1024 + 0x64, read: le, old: 0x377fn, bits: { 15: ["verity", "5.4"], 16: ["orphan_present", "5.15"] } },
];

/** THE table of features by filesystem type: those without which a kernel refuses to mount it, read-only or for writing. */
const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  ext2: EXT_FIELDS,
  ext3: EXT_FIELDS,
  ext4: EXT_FIELDS,
  xfs: [
    // sb_features_ro_compat and sb_features_incompat of fs/xfs/libxfs/xfs_format.h.
    { offset: 212, read: be, old: 0x7n, bits: { 3: ["inobtcount", "5.10"] } },
    {
      offset: 216,
      read: be,
      old: 0x7n,
      bits: {
        3: ["bigtime", "5.10"],
        4: ["needsrepair", null],
        5: ["nrext64", "5.19"],
        6: ["exchange", "6.10"],
        7: ["parent", "6.10"],
        8: ["metadir", "6.13"],
        9: ["zoned", "6.15"],
      },
    },
  ],
  btrfs: [
    // compat_ro_flags and incompat_flags of struct btrfs_super_block, uapi/linux/btrfs.h.
    {
      offset: 0x10000 + 0xb4,
      read: long,
      old: 0x3n,
      bits: { 2: ["verity", "5.15"], 3: ["block-group-tree", "6.1"] },
    },
    {
      offset: 0x10000 + 0xbc,
      read: long,
      old: 0x3ffn,
      bits: {
        10: ["metadata-uuid", "5.0"],
        11: ["raid1c34", "5.5"],
        12: ["zoned", "5.12"],
        // Only in kernels with CONFIG_BTRFS_DEBUG or CONFIG_BTRFS_EXPERIMENTAL.
        13: ["extent-tree-v2", null],
        14: ["raid-stripe-tree", null],
        16: ["simple-quota", "6.7"],
      },
    },
  ],
};

/** Returns the features of a filesystem of this type that not every kernel since Linux 4.19 knows; none for a type without a row. */
export function listFeatures(source: ByteSource, type: string): readonly Feature[] {
  const fields = Object.hasOwn(FIELDS, type) ? (FIELDS[type] ?? []) : [];
  return fields.flatMap(({ offset, read, bits, old }) => {
    const bytes = source.read(offset, 8);
    const found = bytes.length < 8 ? 0n : read(bytes) & ~old;
    const places = Array.from({ length: 64 }, (_, place) => place).filter((place) => (found >> BigInt(place)) & 1n);
    return places.map((place): Feature => {
      const [name = `bit ${place} of the word at ${offset}`, since = "unknown"] = bits[place] ?? [];
      return { name, since };
    });
  });
}

/** True if the kernel `release` ("6.1.0-25-amd64") is at least `since` ("5.15"). */
export function isAtLeast(release: string, since: string): boolean {
  const parse = (text: string) => text.split(/[.-]/, 2).map((part) => Number.parseInt(part, 10) || 0);
  const [[major = 0, minor = 0], [wantedMajor = 0, wantedMinor = 0]] = [parse(release), parse(since)];
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

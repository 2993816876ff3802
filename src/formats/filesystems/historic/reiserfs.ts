import type { Area } from "../../area.ts";
import { le16, le32 } from "../../bytes.ts";
import { at, blockSize, filesystem, header, label, uuid, version, when } from "../../layout.ts";
import type { Magic } from "../../signature.ts";

const OLD = 8 * 1024;
const NEW = 64 * 1024;
const SIZE = { minSize: 128 * 1024 };
// By the seventh character of the magic.
const VERSIONS: Readonly<Record<string, string>> = { 2: "3.6", 3: "JR" };
const versionOf = ({ text }: Magic) => VERSIONS[text[6] ?? ""] ?? "3.5";

/** Finds the superblock at 64 KiB, or 8 KiB for the oldest. A superblock after the start of the journal is an old copy inside the journal. */
function findSuperblock(area: Area, magic: Magic): Uint8Array | null {
  const start = magic.at >= NEW ? NEW : OLD;
  const sb = area.bytes(start, 116);
  if (sb === null || le16(sb, 44) < 512) return null;
  const block = Math.floor(start / 1024 / (le16(sb, 44) >> 9));
  return block <= Math.floor(le32(sb, 12) / 2) ? sb : null;
}

/** reiserfs 3 (fs/reiserfs/reiserfs.h) and reiser4. */
export const REISERFS = [
  filesystem(
    "reiserfs",
    [
      ...at(OLD + 0x34, "ReIsErFs"),
      ...at(NEW + 0x34, "ReIsEr2Fs", "ReIsEr3Fs", "ReIsErFs"),
      ...at(OLD + 20, "ReIsErFs"),
    ],
    findSuperblock,
    [
      when((_sb, magic) => versionOf(magic) !== "3.5", label(100, 16), uuid(84)),
      version((_sb, magic) => versionOf(magic)),
      blockSize((sb) => le16(sb, 44)),
    ],
    SIZE,
  ),
  filesystem(
    "reiser4",
    at(NEW, "ReIsEr4"),
    header(NEW, 60, (sb) => (sb[19] ?? 0) >= 2),
    [label(36, 16), uuid(20), version("4"), blockSize((sb) => (sb[19] ?? 0) * 256)],
    SIZE,
  ),
];

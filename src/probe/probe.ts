import { type Area, examine } from "./area.ts";
import type { ByteSource, Facts } from "./facts.ts";
import { findTable } from "./partition-table.ts";
import { findMagic, type Signature, type Usage } from "./signature.ts";
import { SIGNATURES } from "./signatures.ts";
import { addTag, type Tag, type Tags } from "./tags.ts";
import { decodeText } from "./text.ts";

/** All that was found on a device. */
export interface ProbeResult extends Facts {
  /** libblkid's USAGE of the type. */
  readonly usage: Usage | null;
  /** Every tag in the order and with the bytes of `blkid -p`. */
  readonly tags: readonly Tag[];
  /** Where signatures of several filesystems contradict each other: their types, and `type` is null; else empty. */
  readonly ambivalent: readonly string[];
}

interface Match {
  readonly signature: Signature;
  readonly tags: Tags;
}

/** Examines a device as `blkid -p` does: the first RAID or encryption, else the one filesystem, and the partition table. Never throws for what is on the disk. */
export function probe(source: ByteSource, sectorSize = 512): ProbeResult {
  const area = examine(source, sectorSize);
  const matches = findMatches(area);
  const first = matches[0];
  if (matches.length > 1 && matches.some(isIntolerant)) {
    return { ...describe([]), ambivalent: matches.map(({ signature }) => signature.type) };
  }
  const tags: Tags = first === undefined ? [] : [...first.tags];
  // A mirrored disk shows the partition table of what is inside the mirror.
  if (first?.signature.usage !== "raid") {
    addTableTags(area, first?.signature.type ?? null, tags);
  }
  return { ...describe(tags), usage: first?.signature.usage ?? null };
}

const isContainer = ({ usage }: Signature) => usage === "raid" || usage === "crypto";
const isIntolerant = ({ signature }: Match) => !isContainer(signature) && signature.isTolerant !== true;

/** All filesystems up to the first RAID or encryption; on a tiny device the first only. */
function findMatches(area: Area): readonly Match[] {
  const matches: Match[] = [];
  for (const signature of SIGNATURES) {
    const tags = matchSignature(area, signature);
    if (tags !== null) {
      matches.push({ signature, tags });
      if (area.isTiny || isContainer(signature)) {
        break;
      }
    }
  }
  return matches;
}

function matchSignature(area: Area, signature: Signature): Tags | null {
  const isSmall = area.size <= 1024 || area.size < (signature.minSize ?? 0);
  if (isSmall || (area.isTiny && signature.usage === "raid")) {
    return null;
  }
  const magic = findMagic(area, signature.magics);
  const tags: Tags = [];
  if ((magic === null && signature.magics.length > 0) || !signature.read(area, tags, magic)) {
    return null;
  }
  addTag(tags, "TYPE", signature.type);
  addTag(tags, "USAGE", signature.usage);
  return tags;
}

function addTableTags(area: Area, fsType: string | null, tags: Tags): void {
  const table = findTable(area, fsType);
  if (table !== null) {
    if (table.uuid !== null) {
      addTag(tags, "PTUUID", table.uuid);
    }
    addTag(tags, "PTTYPE", table.type);
  }
}

function describe(tags: readonly Tag[]): ProbeResult {
  const textOf = (name: string) => {
    const tag = tags.find((candidate) => candidate.name === name);
    return tag === undefined ? null : decodeText(tag.value);
  };
  return {
    type: textOf("TYPE"),
    label: textOf("LABEL"),
    uuid: textOf("UUID"),
    partitionTable: textOf("PTTYPE"),
    usage: null,
    tags,
    ambivalent: [],
  };
}

import { type Area, type ExamineOptions, examine } from "./area.ts";
import { CONTAINERS } from "./containers/containers.ts";
import { luksBySecondHeader } from "./containers/luks.ts";
import { RAIDS } from "./containers/raids.ts";
import type { ByteSource, Facts } from "./facts.ts";
import { FILESYSTEMS, jffs2 } from "./filesystems/filesystems.ts";
import { farXfsLog } from "./filesystems/xfs.ts";
import { type Candidate, indexMagics } from "./magic-index.ts";
import { findNamedTable } from "./partitions/partition-table.ts";
import type { Signature, Usage } from "./signature.ts";
import { addTag, type Tag, type Tags } from "./tags.ts";
import { decodeText } from "./text.ts";

/**
 * All known types in libblkid's order, which decides between several on a floppy disk and between containers. libblkid does not
 * know the last one, so it never wins against a type that it knows.
 */
export const SIGNATURES: readonly Signature[] = [...RAIDS, ...CONTAINERS, ...FILESYSTEMS, jffs2];
/** The same in two parts: on a slow disk, what holds a container is not read for filesystems. */
const PARTS: readonly (readonly Signature[])[] = [
  [...RAIDS, ...CONTAINERS],
  [...FILESYSTEMS, jffs2],
];
/** Looked for only if nothing else was found, in this order. */
const LAST_RESORTS: readonly Signature[] = [luksBySecondHeader, farXfsLog];

/** Result of probing a device. */
export interface ProbeResult extends Facts {
  /** libblkid's USAGE. */
  readonly usage: Usage | null;
  /** Every tag in the order and with the bytes of `blkid -p`. */
  readonly tags: readonly Tag[];
}

type Match = Readonly<{ signature: Signature; tags: Tags }>;

/**
 * Probes a device as `blkid -p` does: the first RAID or encrypted container, or else the only filesystem, and the partition table.
 * Never throws because of the content of the disk.
 */
export function probe(source: ByteSource, options: ExamineOptions = {}): ProbeResult {
  const area = examine(source, options);
  const matches = findMatches(area);
  if (matches.length > 1 && matches.some(isIntolerant)) {
    return { ...describe([]), ambivalent: matches.map(({ signature }) => signature.type) };
  }
  const table = isTableHidden(matches[0]) ? null : findNamedTable(area, matches[0]?.signature.type ?? null);
  const first = matches[0] ?? (table === null ? findLastResort(area) : undefined);
  const isStale = table?.type === "dos" && first?.signature.wipesTable === true;
  const tags: Tags = isStale ? [] : [...(first?.tags ?? [])];
  if (table !== null && table.uuid !== null) addTag(tags, "PTUUID", table.uuid);
  if (table !== null) addTag(tags, "PTTYPE", table.type);
  return { ...describe(tags), usage: isStale ? null : (first?.signature.usage ?? null) };
}

/** A mirrored disk shows the partition table of what is inside the mirror. */
function isTableHidden(match: Match | undefined): boolean {
  return match?.signature.usage === "raid" && match.signature.wipesTable !== true;
}

const isContainer = ({ usage }: Signature) => usage === "raid" || usage === "crypto";
const isIntolerant = ({ signature }: Match) => !isContainer(signature) && signature.isTolerant !== true;

const findCandidates = PARTS.map((signatures) => indexMagics(signatures, isLookedFor));
const findLastResorts = indexMagics(LAST_RESORTS, isLookedFor);

function findLastResort(area: Area): Match | undefined {
  return matchesOf(area, findLastResorts(area)).next().value ?? undefined;
}

/** Finds all filesystems up to the first RAID or encrypted container; on a tiny device only the first. */
function findMatches(area: Area): readonly Match[] {
  const matches: Match[] = [];
  for (const find of findCandidates) {
    for (const match of matchesOf(area, find(area))) {
      matches.push(match);
      if (area.isTiny || isContainer(match.signature)) return matches;
    }
  }
  return matches;
}

function isLookedFor({ usage, minSize = 0 }: Signature, area: Area): boolean {
  const isRaid = usage === "raid";
  const isUnlikely = (isRaid && area.isTiny) || ((isRaid || usage === "other") && area.kind === "optical");
  return area.size > 1024 && area.size >= minSize && !isUnlikely;
}

function* matchesOf(area: Area, candidates: readonly Candidate[]): Generator<Match, void> {
  for (const { signature, magic } of candidates) {
    const tags: Tags = [];
    if (!signature.read(area, tags, magic)) continue;
    addTag(tags, "TYPE", signature.type);
    addTag(tags, "USAGE", signature.usage);
    yield { signature, tags };
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

import type { Area } from "./area.ts";
import { holds } from "./bytes.ts";
import type { Magic, Signature } from "./signature.ts";

/** A signature that may be on a device, and the magic that says so; null if the type has none. */
export interface Candidate {
  readonly signature: Signature;
  readonly magic: Magic | null;
}

/** A candidate with its place in the table and in the signature's list of magics. */
interface Ranked extends Candidate {
  readonly order: number;
  readonly rank: number;
}

type IsLookedFor = (signature: Signature, area: Area) => boolean;

/**
 * Makes the search for the candidates of a table, in its order. Of a signature with several magics on the device the first counts.
 * A place is looked at once, for its first byte: there are some hundred magics, and hardly any of them is on a device.
 */
export function indexMagics(
  signatures: readonly Signature[],
  isLookedFor: IsLookedFor,
): (area: Area) => readonly Candidate[] {
  const rows = signatures.map((signature, order): Ranked => ({ signature, magic: null, order, rank: 0 }));
  const withoutMagic = rows.filter(({ signature }) => signature.magics.length === 0);
  const places = groupByPlace(rows);
  return (area) => {
    const found = findAll(area, places, isLookedFor);
    const candidates = [...withoutMagic, ...found].filter(({ signature }) => isLookedFor(signature, area));
    candidates.sort((one, other) => one.order - other.order || one.rank - other.rank);
    return candidates.filter(({ order }, index) => candidates[index - 1]?.order !== order);
  };
}

/** Plain, without an array for each place: a boot with hundreds of disks goes through it for each, and its code is interpreted. */
function findAll(area: Area, places: readonly Place[], isLookedFor: IsLookedFor): readonly Ranked[] {
  const found: Ranked[] = [];
  const head = area.head();
  const { size } = area;
  for (const { at, byFirst, all } of places) {
    const start = at < 0 ? size + at : at;
    const isNear = start >= 0 && start < head.length;
    // Nothing is read for types that cannot be there: each read of a slow device takes its time.
    if (!isNear && !all.some((signature) => isLookedFor(signature, area))) continue;
    const first = (isNear ? head[start] : area.bytes(start, 1)?.[0]) ?? -1;
    const rows = byFirst.get(first);
    if (rows !== undefined) found.push(...findAt(area, start, rows));
  }
  return found;
}

function findAt(area: Area, start: number, rows: readonly Ranked[]): readonly Ranked[] {
  return rows.flatMap((row) => {
    const bytes = row.magic === null ? null : area.bytes(start, row.magic.text.length);
    const isThere = row.magic !== null && bytes !== null && holds(bytes, 0, row.magic.text);
    return isThere ? { ...row, magic: { ...row.magic, at: start } } : [];
  });
}

type Place = ReturnType<typeof groupByPlace>[number];

function groupByPlace(rows: readonly Ranked[]) {
  const magics = rows.flatMap((row) => row.signature.magics.map((magic, rank) => ({ ...row, magic, rank })));
  return [...Map.groupBy(magics, ({ magic }) => magic.at)].map(([at, here]) => ({
    at,
    byFirst: Map.groupBy(here, ({ magic }) => magic.text.charCodeAt(0)),
    all: here.map(({ signature }) => signature),
  }));
}

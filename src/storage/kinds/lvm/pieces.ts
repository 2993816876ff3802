import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import type { ReadPlace } from "../../../machine/async.ts";
import type { JudgedGroup } from "./judge.ts";
import { planVolume } from "./tables/plan-volume.ts";
import type { PlannedTarget } from "./tables/planning.ts";

/** Where a linear volume lies on its only physical volume, in bytes. */
export interface Pieces {
  readonly device: BlockDevice;
  readonly sizeBytes: number;
  /** In the order of the volume; `at` is a place in it, `offset` one on the physical volume. */
  readonly list: readonly { readonly at: number; readonly offset: number; readonly length: number }[];
}

const SECTOR_BYTES = 512;

/** Returns the pieces of a volume, as its table would have them; null if its table has anything else than them, or its physical volume is not so large. */
export function piecesOf(judged: JudgedGroup<BlockDevice>, volume: LogicalVolume): Pieces | null {
  const plan = planVolume(judged.group, volume, { missing: judged.missing, isPartial: false });
  if ("refusal" in plan || plan.mappings.length !== 1) return null;
  const areas = (plan.mappings[0]?.targets ?? []).map(areaOf);
  const [member = null] = areas.map((area) => area?.member);
  const device = judged.members.get(member ?? "");
  let at = 0;
  const list: Pieces["list"][number][] = [];
  for (const area of areas) {
    if (area === null || device === undefined || area.member !== member || area.at !== at) return null;
    const { offset, length } = area;
    if (!Number.isSafeInteger(offset + length) || offset + length > device.sizeBytes) return null;
    list.push({ at, offset, length });
    at += length;
  }
  return device === undefined ? null : { device, sizeBytes: at, list };
}

function areaOf({ type, words, startSector, sectors }: PlannedTarget) {
  const [place, start] = words;
  const isLinear = type === "linear" && typeof place === "object" && "member" in place;
  if (!isLinear || typeof start !== "string") return null;
  return {
    member: place.member,
    at: startSector * SECTOR_BYTES,
    offset: Number(start) * SECTOR_BYTES,
    length: sectors * SECTOR_BYTES,
  };
}

/** Returns where a place of the volume lies on the physical volume: several places if it goes over the end of a piece. */
export function placesIn({ list }: Pieces, { offset, length }: ReadPlace): readonly ReadPlace[] {
  return list.flatMap((piece) => {
    const from = Math.max(offset, piece.at);
    const end = Math.min(offset + length, piece.at + piece.length);
    return from < end ? [{ offset: piece.offset + from - piece.at, length: end - from }] : [];
  });
}

/** Reads places, and joins their bytes. */
export function joinPieces(
  places: readonly ReadPlace[],
  read: (offset: number, length: number) => Uint8Array,
): Uint8Array {
  const bytes = places.map(({ offset, length }) => read(offset, length));
  return bytes.length === 1 && bytes[0] !== undefined ? bytes[0] : new Uint8Array(Buffer.concat(bytes));
}

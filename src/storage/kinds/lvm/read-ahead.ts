import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import { countOf } from "./tables/fields.ts";

/** Returns how far the kernel reads ahead in a volume, and whether more is fine too; null if its default is (lib/activate/dev_manager.c of lvm2: _add_new_lv_to_dtree). */
export function readAheadOf({ readAhead, segments }: Pick<LogicalVolume, "readAhead" | "segments">) {
  // -1 is "none".
  if (readAhead !== null) return { kib: Math.floor(Math.max(0, readAhead) / 2), isLeast: false };
  const widths = segments.map(({ fields }) => countOf(fields, "stripe_size", 0) * countOf(fields, "stripe_count", 1));
  const widest = Math.max(0, ...widths);
  // Twice a whole stripe, in sectors: as many KiB.
  return widest === 0 ? null : { kib: widest, isLeast: true };
}

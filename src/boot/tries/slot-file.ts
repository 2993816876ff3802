import * as v from "valibot";
import { MOST_TRIES, SLOT_NAME } from "../../formats/slots/state.ts";
import type { Machine } from "../../machine/machine.ts";
import { readText } from "../../machine/small-files.ts";
import { problem } from "../../problems/problem.ts";

/** What a boot with rd.slots= leaves for `levain slot`. */
export const SLOT_FILE = "/run/levain/slot.json";

const NAME = v.pipe(v.string(), v.regex(SLOT_NAME));
const TRIES = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MOST_TRIES));
const BOOTED = v.object({
  slots: v.array(v.object({ name: NAME, text: v.string() })),
  tries: TRIES,
  booted: NAME,
  left: TRIES,
  isCounted: v.boolean(),
  // "major:minor" of the partition with the state; null: the EFI variable.
  place: v.nullable(v.pipe(v.string(), v.regex(/^\d+:\d+$/))),
  // False if the state could not be read or written: there is nothing to mark.
  isKept: v.boolean(),
  // The path of the boot entry whose tries the boot loader counts, read from the firmware with the state; null: not read,
  // or the levain in the image is older than this one.
  entryPath: v.optional(v.nullable(v.string()), null),
});

/** The slot that was booted, and where its state is kept. */
export type BootedSlot = v.InferOutput<typeof BOOTED>;

/** Returns what this boot has decided; null without rd.slots=. Throws BootError if the file is damaged. */
export function readBootedSlot(machine: Machine): BootedSlot | null {
  if (machine.stat(SLOT_FILE) === null) return null;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), BOOTED), readText(machine, SLOT_FILE));
  if (!result.success) throw problem("boot-record-damaged", { path: SLOT_FILE });
  return result.output;
}
